#include "client/mcp/streamable_transport.h"

#include <algorithm>

#include "client/limits.h"
#include "client/mcp/http_message.h"
#include "client/net/event_stream.h"
#include "client/net/url.h"

namespace collet::client {
namespace {

// "Only visible ASCII characters" (2025-11-25, Session Management): we have to send it back.
bool is_session_id(std::string_view id) {
  return std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

// One message on its way and what comes back, or a stream that a GET has opened.
class StreamableTransport::Exchange final : public HttpSink {
 public:
  enum class Kind : std::uint8_t { message, side_stream };

  Exchange(StreamableTransport& owner, Key key, Kind kind, Outgoing message)
      : owner_(owner), key_(key), kind_(kind), message_(std::move(message)), timer_(owner.loop_) {}
  ~Exchange() { stop(); }

  void begin() {
    const bool post = kind_ == Kind::message && !resuming_;
    method_ = post ? "POST" : "GET";
    if (!owner_.authorizer_) return transmit({});
    owner_.authorizer_->headers(
        method_, owner_.url_,
        guarded<Result<std::vector<HttpHeader>>>([this](Result<std::vector<HttpHeader>> given) {
          // What it came back for has been sent before.
          if (!given) return lose({.sent = resuming_, .http_status = 0, .message = given.message()});
          or_lose([&] { transmit(std::move(*given)); });
        }));
  }

  void adopt(std::function<void()> let_go) {
    let_go_ = std::move(let_go);
    in_session_ = owner_.sender_.era == Era::legacy;
  }
  void carried(std::string_view text) {
    if (!over_ && !answered_) owner_.listener_.on_text(text, message_.id);
  }
  void carried_end(const CarriedEnd& ended) {
    let_go_ = nullptr;
    if (answered_) return drop();
    if (!ended.end.sent) return lose({.sent = false, .message = ended.end.message, .alone = true});
    head_.status = 200;
    is_stream_ = true;
    events_.go_on_behind(ended.last_event_id, ended.retry_ms);
    stream_ended(ended.end, {});
  }

  void stop() {
    over_ = true;
    if (const auto let_go = std::exchange(let_go_, nullptr)) let_go();
    timer_.stop();
    if (transfer_) owner_.http_.cancel(std::exchange(transfer_, 0));
  }
  // The answer is known: the stream gets a moment to end, so that its connection can be used again.
  void linger() {
    answered_ = true;
    timer_.start(limits::kLingerMs, [this] { drop(); });
  }

  void on_head(const HttpHead& head) override {
    head_ = head;
    owner_.address_ = head.address;
    is_stream_ = head.status / 100 == 2 && has_type(head, "text/event-stream");
    if (const std::string problem = encoding_problem(head); head.status / 100 == 2 && !problem.empty()) {
      return lose({.sent = true, .http_status = head.status, .message = problem});
    }
    if (const std::string_view session = head.header("mcp-session-id");
        session.data() && message_.method == "initialize") {
      if (!is_session_id(session)) {
        return lose({.sent = true,
                     .http_status = head_.status,
                     .message = "its session id has characters that no session id can have"});
      }
      owner_.sender_.session = session;
    }
    if (is_stream_) failures_ = challenges_ = 0;
    if (is_stream_ && kind_ == Kind::side_stream) owner_.send_held();
  }

  void on_body(std::string& body) override {
    if (!is_stream_) return;
    const std::string bytes = std::exchange(body, {});
    const auto good = events_.feed(bytes, [this](const Event& event) {
      if (!over_ && !answered_ && event.type == "message" && !event.data.empty())
        owner_.listener_.on_text(event.data, message_.id);
    });
    if (!over_ && !good) {
      stop();
      lose({.sent = true, .http_status = head_.status, .message = good.message()});
    }
  }

  void on_end(const HttpEnd& end, std::string& body) override {
    transfer_ = 0;
    if (is_stream_ && !body.empty()) on_body(body);
    if (over_) return;
    if (answered_) return drop();
    const bool refused = end.whole && (head_.status == 401 || head_.status == 403);
    if (refused && owner_.authorizer_ && challenges_ < limits::kChallengesMax) return challenged(body);
    if (kind_ == Kind::side_stream) return side_stream_ended(end, body);
    if (is_stream_ || resuming_) return stream_ended(end, body);
    if (!end.whole) return lose({.sent = end.sent, .http_status = head_.status, .message = end.message});
    if (head_.status == 307 || head_.status == 308) return redirected();
    answer(body);
  }

 private:
  template <class T>
  std::function<void(T)> guarded(std::function<void(T)> then) {
    return [alive = std::weak_ptr(owner_.alive_), &owner = owner_, key = key_, then = std::move(then)](T value) {
      if (!alive.expired() && owner.exchanges_.contains(key)) then(std::move(value));
    };
  }

  // Later than send(), which would tell whoever sends of it: what there is no memory for is lost.
  template <class Body>
  void or_lose(Body&& body) {
    try {
      body();
    } catch (const std::bad_alloc&) {
      timer_.start(0, [this] { lose({.http_status = 0, .message = kNoMemory}); });
    }
  }
  void begin_again() {
    or_lose([this] { begin(); });
  }

  void transmit(std::vector<HttpHeader> more) {
    HttpRequest request;
    request.method = method_;
    request.url = owner_.url_;
    request.tls = owner_.tls_;
    const bool post = method_ == "POST";
    const Outgoing& message = message_;
    if (!more.empty()) {
      Outgoing with = message;
      with.headers.insert(with.headers.end(), more.begin(), more.end());
      request.headers = owner_.header_lines(with, post);
    } else {
      request.headers = owner_.header_lines(message, post);
    }
    given_ = std::move(more);
    if (post) request.body = message.text;
    if (!post && !events_.last_id().empty()) request.headers.push_back("Last-Event-ID: " + events_.last_id());
    request.repeatable = message.repeatable;
    in_session_ = owner_.sender_.era == Era::legacy && !owner_.sender_.version.empty();
    head_ = {};
    is_stream_ = false;
    transfer_ = owner_.http_.start(std::move(request), *this);
  }

  void answer(const std::string& body) {
    const bool good = head_.status / 100 == 2;
    if (!message_.id && good) return drop();
    const SessionLoss loss = session_loss(head_.status, body, message_.id, in_session_);
    if (loss != SessionLoss::none) {
      return lose({.sent = loss == SessionLoss::possible,
                   .http_status = head_.status,
                   .message = describe(head_, body),
                   .session_gone = true});
    }
    const std::uint64_t pause = retry_after_ms(head_);
    if (has_type(head_, "application/json") && (good || is_rpc_message(body)) && !(message_.repeatable && pause)) {
      owner_.listener_.on_text(body, message_.id);
      if (over_ || answered_) return drop();
      return lose({.sent = true, .http_status = head_.status, .message = what_is_wrong(body)});
    }
    lose({.sent = true,
          .http_status = head_.status,
          .message = describe(head_, body),
          .retry_after_ms = pause});
  }

  void challenged(const std::string& body) {
    ++challenges_;
    const auto lasting = owner_.authorizer_->lasting_headers(owner_.url_);
    if (lasting && lasting->headers != given_) return begin_again();  // a token that was renewed meanwhile was refused
    owner_.authorizer_->challenged(
        head_.status, head_.headers, guarded<Result<bool>>([this, body](Result<bool> again) {
          if (!again) {
            // Who is not let in at all needs another connection; who may not do this one thing does not.
            const bool outside = head_.status == 401 && !resuming_;
            return lose({.sent = !outside, .http_status = head_.status, .message = again.message()});
          }
          if (*again) return begin_again();
          if (kind_ == Kind::message && !resuming_) return answer(body);
          lose({.sent = true, .http_status = head_.status, .message = describe(head_, body)});
        }));
  }

  void redirected() {
    std::string target(head_.header("location"));
    const std::string origin = origin_of(owner_.url_);
    if (target.starts_with('/') && !target.starts_with("//")) target = origin + target;
    if (origin_of(target) != origin || origin.empty()) {
      return lose({.sent = false,
                   .http_status = head_.status,
                   .message = "it redirects to " + redact_url(target) +
                              ", another origin: that is not followed, set `url` to it"});
    }
    if (++redirects_ > limits::kRedirectsMax) {
      // It has answered: another try, or another session, would be sent round as well.
      return lose({.sent = true, .http_status = head_.status, .message = "it redirects in circles"});
    }
    owner_.url_ = target;
    begin_again();
  }

  // Before the answer came: a legacy server may want us to come back for it.
  void stream_ended(const HttpEnd& end, const std::string& body) {
    const bool refused = resuming_ && !is_stream_;
    if (owner_.sender_.era == Era::modern || events_.last_id().empty() || refused ||
        ++resumptions_ > limits::kResumptionsMax) {
      const std::string why = end.whole ? "its stream ended before the answer" : end.message;
      const bool gone = refused && session_loss(head_.status, body, 0, in_session_) != SessionLoss::none;
      return lose({.sent = true, .http_status = head_.status, .message = why, .session_gone = gone});
    }
    resuming_ = true;
    events_.restart();
    timer_.start(events_.retry_ms().value_or(limits::kRetryMsDefault), [this] { begin_again(); });
  }

  void side_stream_ended(const HttpEnd& end, const std::string& body) {
    if (!end.whole && !end.sent) return unreachable(end.message);  // nobody is there any more
    if (!is_stream_) {
      // 405, and 404 of some: the server has no such stream, unless it had one before.
      const bool gone = had_stream_ && session_loss(head_.status, body, 0, in_session_) == SessionLoss::certain;
      return gone ? unreachable(describe(head_, body)) : drop();
    }
    had_stream_ = true;
    events_.restart();
    const std::uint64_t pause = events_.retry_ms().value_or(limits::kRetryMsDefault) << std::min(failures_++, 5u);
    timer_.start(std::clamp(pause, limits::kSideRetryMsMin, limits::kRetryMsMax), [this] { begin_again(); });
  }

  void unreachable(const std::string& why) {
    TransportListener& listener = owner_.listener_;
    drop();
    listener.on_unreachable(why);
  }

  void lose(Lost lost) {
    const RequestId id = message_.id;
    TransportListener& listener = owner_.listener_;
    drop();
    if (id) listener.on_lost(id, std::move(lost));
  }
  void drop() { owner_.drop(key_); }

  StreamableTransport& owner_;
  const Key key_;
  const Kind kind_;
  const Outgoing message_;
  Timer timer_;
  std::string_view method_;
  HttpClient::Id transfer_ = 0;
  std::function<void()> let_go_;  // not null: its response comes elsewhere
  HttpHead head_;
  EventStream events_;
  std::vector<HttpHeader> given_;  // by the authorizer, for the request under way
  bool in_session_ = false;  // the request is one of a legacy session
  bool is_stream_ = false;
  bool had_stream_ = false;
  bool resuming_ = false;
  bool answered_ = false;
  bool over_ = false;
  unsigned challenges_ = 0;
  unsigned redirects_ = 0;
  unsigned resumptions_ = 0;
  unsigned failures_ = 0;
};

StreamableTransport::StreamableTransport(Loop& loop, HttpClient& http, Authorizer* authorizer,
                                         HttpSettings settings, TransportListener& listener)
    : loop_(loop),
      http_(http),
      authorizer_(authorizer),
      url_(std::move(settings.url)),
      tls_(std::move(settings.tls)),
      listener_(listener),
      sender_{.headers = std::move(settings.headers), .era = Era::modern, .version = {}, .session = {}},
      sweep_(loop),
      opening_(loop) {}

StreamableTransport::~StreamableTransport() {
  if (sender_.session.empty()) return;
  FetchRequest goodbye{.method = "DELETE", .url = url_, .headers = sender_.headers, .body = {}, .tls = tls_};
  goodbye.headers.push_back({"Mcp-Session-Id", sender_.session});
  goodbye.headers.push_back({"MCP-Protocol-Version", sender_.version});
  const auto say = [&http = http_, goodbye](const Result<std::vector<HttpHeader>>& more) {
    if (!more) return;
    FetchRequest request = goodbye;
    request.headers.insert(request.headers.end(), more->begin(), more->end());
    http.fetch(std::move(request), [](const Result<FetchResponse>&) {});
  };
  authorizer_ ? authorizer_->headers("DELETE", url_, say) : say(std::vector<HttpHeader>());
}

std::vector<std::string> StreamableTransport::header_lines(const Outgoing& message, bool post) const {
  std::vector<std::string> lines;
  lines.reserve(sender_.headers.size() + message.headers.size() + 8);
  each_header(sender_, message, post, [&](std::string_view name, std::string_view value) {
    std::string& line = lines.emplace_back();
    line.reserve(name.size() + 2 + value.size());
    line.append(name).append(value.empty() ? ";" : ": ").append(value);  // libcurl's way to say an empty value
  });
  return lines;
}

void StreamableTransport::send(Outgoing message) {
  if (holding_) return held_.push_back(std::move(message));
  const Key key = message.id ? message.id : next_key();
  if (message.method == "notifications/initialized") {
    initialized_ = key;
    holding_ = true;
    opening_.start(limits::kOpeningMs, [this] {
      if (!side_stream_) open_side_stream();
      send_held();
    });
  }
  start(key, std::make_unique<Exchange>(*this, key, Exchange::Kind::message, std::move(message)));
}

void StreamableTransport::adopt(Outgoing request, std::function<void()> let_go) {
  const Key key = request.id;
  auto exchange = std::make_unique<Exchange>(*this, key, Exchange::Kind::message, std::move(request));
  exchange->adopt(std::move(let_go));
  exchanges_.emplace(key, std::move(exchange));
}

void StreamableTransport::carried(RequestId id, std::string_view text) {
  if (const auto found = exchanges_.find(id); found != exchanges_.end()) found->second->carried(text);
}

void StreamableTransport::carried_end(RequestId id, const CarriedEnd& end) {
  if (const auto found = exchanges_.find(id); found != exchanges_.end()) found->second->carried_end(end);
}

void StreamableTransport::start(Key key, std::unique_ptr<Exchange> exchange) {
  Exchange& beginning = *exchange;
  exchanges_.emplace(key, std::move(exchange));
  beginning.begin();
}

// A server may refuse what comes before it knows that it is initialized, and what it asks while nobody hears it is
// lost: the official TypeScript SDK drops it.
void StreamableTransport::open_side_stream() {
  side_stream_ = next_key();
  start(side_stream_, std::make_unique<Exchange>(*this, side_stream_, Exchange::Kind::side_stream, Outgoing{}));
}

void StreamableTransport::send_held() {
  opening_.stop();
  const bool held = std::exchange(holding_, false);
  send_later(*this, std::exchange(held_, {}), listener_);
  if (held && opened_) opened_();
}

void StreamableTransport::finish(RequestId id, bool answered) {
  std::erase_if(held_, [&](const Outgoing& message) { return id && message.id == id; });
  const auto found = exchanges_.find(id);
  if (found == exchanges_.end()) return;
  answered ? found->second->linger() : drop(id);
}

void StreamableTransport::set_version(Era era, std::string_view version) {
  sender_.era = era;
  sender_.version = version;
  if (version.empty()) sender_.session.clear();
}

void StreamableTransport::drop(Key key) {
  const auto found = exchanges_.find(key);
  if (found == exchanges_.end()) return;
  found->second->stop();
  dropped_.push_back(std::move(found->second));
  exchanges_.erase(found);
  if (!sweep_.active()) sweep_.start(0, [this] { dropped_.clear(); });
  if (key == initialized_ && !side_stream_) open_side_stream();
  if (key == side_stream_) send_held();
}

}  // namespace collet::client
