#include "client/sse_transport.h"

#include "client/headers.h"
#include "client/limits.h"

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

  void on_head(const HttpHead& head) override { status_ = head.status; }
  void on_body(std::string& body) override { body.clear(); }
  void on_end(const HttpEnd& end, std::string&) override {
    id = 0;
    auto self = owner_.posts_.extract(key_);
    owner_.done_.push_back(std::move(self.mapped()));
    owner_.later_.start(0, [&owner = owner_] { owner.done_.clear(); });
    if (initializes_) owner_.send_waiting();
    if (!request_ || (end.whole && status_ / 100 == 2)) return;
    const std::string why = end.whole ? "HTTP status " + std::to_string(status_) : end.message;
    owner_.listener_.on_lost(request_, {.sent = end.sent, .http_status = status_, .message = why});
  }

 private:
  SseTransport& owner_;
  const std::uint64_t key_;
  const RequestId request_;
  const bool initializes_;
  int status_ = 0;
};

SseTransport::SseTransport(Loop& loop, HttpClient& http, Authorizer* authorizer, HttpSettings settings,
                           TransportListener& listener)
    : http_(http), authorizer_(authorizer), settings_(std::move(settings)), listener_(listener), later_(loop) {
  later_.start(0, [this] { open(); });  // the listener is not called before this is whole
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

void SseTransport::open() {
  with_headers("GET", settings_.url, [this](Result<std::vector<std::string>> lines) {
    if (!lines) return go_down(lines.message());
    lines->push_back("Accept: text/event-stream");
    stream_ = http_.start({.method = "GET", .url = settings_.url, .headers = std::move(*lines), .body = {}}, *this);
  });
}

void SseTransport::send(Outgoing message) {
  if (endpoint_.empty() || initializing_) return waiting_.push_back(std::move(message));
  initializing_ = message.method == kInitialized;
  transmit(std::move(message));
}

void SseTransport::send_waiting() {
  initializing_ = false;
  for (Outgoing& message : std::exchange(waiting_, {})) send(std::move(message));
}

void SseTransport::transmit(Outgoing message) {
  auto shared = std::make_shared<Outgoing>(std::move(message));
  with_headers("POST", endpoint_, [this, shared](Result<std::vector<std::string>> lines) {
    if (!lines) {
      if (shared->method == kInitialized) send_waiting();
      if (shared->id) listener_.on_lost(shared->id, {.sent = false, .http_status = 0, .message = lines.message()});
      return;
    }
    for (const HttpHeader& header : shared->headers) lines->push_back(header.name + ": " + header.value);
    lines->push_back("Content-Type: application/json");
    const std::uint64_t key = ++last_post_;
    Post& post = *posts_.emplace(key, std::make_unique<Post>(*this, key, *shared)).first->second;
    post.id =
        http_.start({.method = "POST", .url = endpoint_, .headers = std::move(*lines), .body = shared->text}, post);
  });
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
  if (origin_of(target) != origin) return go_down("its endpoint " + target + " is of another origin");
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
      *again ? open() : go_down("HTTP status " + std::to_string(head_.status));
    });
    return;
  }
  if (!end.whole) return go_down(end.message);
  go_down(head_.status == 200 ? "its event stream has ended" : "HTTP status " + std::to_string(head_.status));
}

void SseTransport::go_down(std::string reason) {
  down_ = true;
  if (stream_) http_.cancel(std::exchange(stream_, 0));
  listener_.on_down(reason);
}

}  // namespace collet::client
