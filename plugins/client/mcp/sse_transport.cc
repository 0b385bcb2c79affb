#include "client/mcp/sse_transport.h"

#include "client/limits.h"
#include "client/mcp/http_message.h"
#include "client/net/url.h"

namespace collet::client {
namespace {

constexpr std::string_view kInitialized = "notifications/initialized";

}  // namespace

// One message on its way out. What it is answered with comes on the stream.
class SseTransport::Post final : public HttpSink {
 public:
  Post(SseTransport& owner, std::uint64_t key, const Outgoing& message)
      : owner_(owner), key_(key), request_(message.id), initializes_(message.method == kInitialized) {}
  ~Post() {
    if (id) owner_.http_.cancel(id);
  }

  HttpClient::Id id = 0;

  // Its request is over: the answer may come on the stream before the POST is acknowledged.
  void forget(RequestId request) {
    if (request_ == request) request_ = 0;
  }

  void on_head(const HttpHead& head) override { head_ = head; }
  void on_body(std::string&) override {}
  void on_end(const HttpEnd& end, std::string& body) override {
    id = 0;
    auto self = owner_.posts_.extract(key_);
    owner_.done_.push_back(std::move(self.mapped()));
    owner_.later_.start(0, [&owner = owner_] { owner.done_.clear(); });
    if (initializes_ && !owner_.down_) owner_.send_waiting();
    report(end, body);
    if (owner_.down_ && owner_.posts_.empty()) owner_.tell_down();
  }

 private:
  void report(const HttpEnd& end, const std::string& body) {
    if (!request_) return;
    if (end.whole && head_.status / 100 == 2) {
      if (owner_.down_)
        return owner_.listener_.on_lost(request_, {.sent = true, .http_status = 0, .message = owner_.why_down_});
      return void(owner_.accepted_.insert(request_));
    }
    const SessionLoss loss = end.whole ? session_loss(head_.status, body, request_, true) : SessionLoss::none;
    owner_.listener_.on_lost(request_, {.sent = end.sent && loss != SessionLoss::certain,
                                        .http_status = head_.status,
                                        .message = end.whole ? describe(head_, body) : end.message,
                                        .session_gone = loss != SessionLoss::none,
                                        .retry_after_ms = end.whole ? retry_after_ms(head_) : 0});
  }

  SseTransport& owner_;
  const std::uint64_t key_;
  RequestId request_;  // 0: nobody waits for its answer
  const bool initializes_;
  HttpHead head_;
};

SseTransport::SseTransport(Loop& loop, HttpClient& http, Authorizer* authorizer, HttpSettings settings,
                           TransportListener& listener)
    : http_(http),
      authorizer_(authorizer),
      settings_(std::move(settings)),
      listener_(listener),
      later_(loop),
      opening_(loop) {
  later_.start(0, [this] { open_stream(); });  // the listener is not called before this is whole
}

SseTransport::~SseTransport() {
  if (stream_) http_.cancel(stream_);
}

void SseTransport::with_headers(std::string_view method, const std::string& url,
                                std::function<void(Result<std::vector<std::string>>)> then) {
  auto join = [this, then](Result<std::vector<HttpHeader>> more) {
    if (!more) return then(more.failure());
    std::vector<std::string> lines;
    for (const HttpHeader& header : settings_.headers) lines.push_back(header.name + ": " + header.value);
    for (const HttpHeader& header : *more) lines.push_back(header.name + ": " + header.value);
    then(std::move(lines));
  };
  if (!authorizer_) return join(std::vector<HttpHeader>());
  authorizer_->headers(method, url, [join, alive = std::weak_ptr(alive_)](Result<std::vector<HttpHeader>> more) {
    if (!alive.expired()) join(std::move(more));
  });
}

void SseTransport::open_stream() {
  with_headers("GET", settings_.url, [this](Result<std::vector<std::string>> lines) {
    if (!lines) return go_down(lines.message());
    lines->push_back("Accept: text/event-stream");
    stream_ = http_.start(
        {.method = "GET", .url = settings_.url, .headers = std::move(*lines), .body = {}, .tls = settings_.tls},
        *this);
  });
}

void SseTransport::send(Outgoing message) {
  if (endpoint_.empty() || initializing_) return waiting_.push_back(std::move(message));
  initializing_ = message.method == kInitialized;
  if (initializing_) opening_.start(limits::kOpeningMs, [this] { send_waiting(); });
  transmit(std::move(message));
}

void SseTransport::finish(RequestId id, bool) {
  accepted_.erase(id);
  for (const auto& [key, post] : posts_) post->forget(id);
}

void SseTransport::refused(RequestId id, const HttpEnd& end) {
  if (accepted_.erase(id)) listener_.on_lost(id, {.sent = end.sent, .http_status = 0, .message = end.message});
}

void SseTransport::send_waiting() {
  opening_.stop();
  initializing_ = false;
  send_later(*this, std::exchange(waiting_, {}), listener_);
  if (opened_ && open()) opened_();
}

void SseTransport::transmit(Outgoing message) {
  auto shared = std::make_shared<Outgoing>(std::move(message));
  with_headers("POST", endpoint_, [this, shared](Result<std::vector<std::string>> lines) {
    if (down_ || !lines) {
      if (!down_ && shared->method == kInitialized) send_waiting();
      const std::string why = down_ ? why_down_ : lines.message();
      if (shared->id) listener_.on_lost(shared->id, {.sent = false, .http_status = 0, .message = why});
      return;
    }
    const std::uint64_t key = ++last_post_;
    try {
      start(key, *shared, std::move(*lines));
    } catch (const std::bad_alloc&) {
      posts_.erase(key);
      if (!authorizer_) throw;  // to whoever sends
      if (shared->id) listener_.on_lost(shared->id, {.http_status = 0, .message = kNoMemory});
    }
  });
}

void SseTransport::start(std::uint64_t key, const Outgoing& message, std::vector<std::string> lines) {
  for (const HttpHeader& header : message.headers) lines.push_back(header.name + ": " + header.value);
  lines.push_back("Content-Type: application/json");
  Post& post = *posts_.emplace(key, std::make_unique<Post>(*this, key, message)).first->second;
  post.id = http_.start({.url = endpoint_,
                         .headers = std::move(lines),
                         .body = message.text,
                         .repeatable = message.repeatable,
                         .tls = settings_.tls},
                        post);
}

void SseTransport::on_body(std::string& body) {
  if (head_.status != 200) return;
  const std::string bytes = std::exchange(body, {});
  const auto good = events_.feed(bytes, [this](const Event& event) {
    if (!down_) take(event);
  });
  if (!good) go_down(good.message());
}

void SseTransport::take(const Event& event) {
  if (event.type == "message" && !event.data.empty()) return listener_.on_text(event.data, 0);
  if (event.type != "endpoint" || !endpoint_.empty()) return;
  const std::string origin = origin_of(settings_.url);
  std::string target(event.data);
  if (target.find("://") == std::string::npos) {
    const std::string path = settings_.url.substr(0, settings_.url.find_first_of("?#"));
    target = target.starts_with('/') ? origin + target : path.substr(0, path.rfind('/') + 1) + target;
  }
  if (origin_of(target) != origin)
    return go_down("its endpoint " + redact_url(target) + " is of another origin");
  endpoint_ = target;
  send_waiting();
}

void SseTransport::on_end(const HttpEnd& end, std::string& body) {
  stream_ = 0;
  if (head_.status == 200 && !body.empty()) on_body(body);
  if (down_) return;
  const bool refused = head_.status == 401 || head_.status == 403;
  if (refused && authorizer_ && challenges_++ < limits::kChallengesMax) {
    authorizer_->challenged(head_.status, head_.headers, [this, alive = std::weak_ptr(alive_)](Result<bool> again) {
      if (alive.expired()) return;
      if (!again) return go_down(again.message());
      *again ? open_stream() : go_down(describe(head_, {}));
    });
    return;
  }
  if (!end.whole) return go_down(end.message);
  go_down(head_.status == 200 ? "its event stream has ended" : describe(head_, body));
}

// What waits has not been sent, and what is on its way tells by itself whether it was read: with the last of it all
// is over.
void SseTransport::go_down(std::string reason) {
  down_ = true;
  why_down_ = std::move(reason);
  if (stream_) http_.cancel(std::exchange(stream_, 0));
  if (endpoint_.empty()) return tell_down();
  listener_.on_unreachable(why_down_);  // first, so that nobody asks anything more of what is gone
  for (const Outgoing& message : std::exchange(waiting_, {})) {
    if (message.id) listener_.on_lost(message.id, {.sent = false, .http_status = 0, .message = why_down_});
  }
  for (const RequestId id : std::exchange(accepted_, {})) {
    listener_.on_lost(id, {.sent = true, .http_status = 0, .message = why_down_});
  }
  posts_.empty() ? tell_down() : opening_.start(limits::kOpeningMs, [this] { tell_down(); });
}

void SseTransport::tell_down() {
  if (!std::exchange(told_down_, true)) listener_.on_down(why_down_);
}

}  // namespace collet::client
