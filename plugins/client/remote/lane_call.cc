#include "client/remote/lane_call.h"

#include <new>
#include <utility>

#include "client/limits.h"
#include "client/mcp/broken_text.h"
#include "client/mcp/connection.h"
#include "client/mcp/http_message.h"
#include "client/mcp/mirrored_headers.h"

namespace collet::client {

std::string LaneCall::write_request(const LaneRoute& route, RequestId id) {
  const RemoteItem& item = *target_.item;
  const bool modern = route.sender.era == Era::modern;
  const Caller caller = read_caller(host_, call_.id);
  if (caller.too_far || (route.logs_aside() && log_rank(caller.log_level) > route.log_rank)) return {};
  const bool may_be_task = item.tasks == TaskSupport::required || (modern && caller.can_tasks);
  if (call_.kind == COLLET_TOOL && may_be_task) return {};
  auto headers = caller_headers(host_, call_.id, route.config);
  if (!headers) return {};
  if (call_.kind == COLLET_TOOL && modern && !item.mirrored.empty()) {
    auto mirrored = mirrored_headers(item.mirrored, call_.arguments.value_or("{}"));
    headers->insert(headers->end(), std::make_move_iterator(mirrored.begin()),
                    std::make_move_iterator(mirrored.end()));
  }
  std::string meta = caller.meta;
  if (modern && !caller.log_level.empty()) {
    append_member(meta, "io.modelcontextprotocol/logLevel", "\"" + caller.log_level + "\"");
  }
  if (caller.wants_progress) append_member(meta, "progressToken", std::to_string(id));
  const Outgoing message{.id = id,
                         .method = std::string(method_of(call_)),
                         .name = name_of(call_, item),
                         .headers = std::move(*headers),
                         .text = request_text(id, method_of(call_), params_of(call_, item), route.stamp,
                                              {.meta = meta, .capabilities = caller.capabilities})};
  request_ = id;
  if (route.input) return on_one_line(message.text) + '\n';
  std::string out = route.preamble;
  out.reserve(out.size() + message.text.size() + 512);
  each_header(route.sender, message, true, [&](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  });
  out.append("Content-Length: ").append(std::to_string(message.text.size())).append("\r\n\r\n");
  return out += message.text;
}

void LaneCall::begin(LaneConnection& connection, std::string request) {
  connection_ = &connection;
  route_ = connection.route();
  connection.carry(std::move(request), *this);
}

void LaneCall::cancel(const char* reason) {
  drop_connection();
  if (is_legacy() || route_->answers_aside) listener_.on_cancelled(as_request(), reason);
  fail(reason);
}

void LaneCall::carry() {
  if (carries_) return;
  unheard_ = std::make_shared<std::atomic<std::size_t>>(0);
  listener_.hand_over({.call = call_,
                       .item = target_.item,
                       .request = as_request(),
                       .how = HandedOver::How::carry,
                       .shuts = false,
                       .opening = route_->opening,
                       .era = route_->sender.era,
                       .lost = {},
                       .answer = {}});
  carries_ = true;
  target_.gate->leave(loop_);
  owner_.on_carries(*this);
  if (route_->answers_aside && !connection_) finish();  // nothing more of it comes here
}

// A remote that says more than the client's thread hears is not listened to any more.
void LaneCall::say_carried(std::string_view text) {
  if (over_) return;
  if (*unheard_ + text.size() > limits::kMessageBytesMax) {
    drop_connection();
    return end_carrying({.message = "it says more than can be heard"}, false);
  }
  *unheard_ += text.size();
  listener_.on_carried(as_request(), std::string(text));
}

void LaneCall::let_go() {
  drop_connection();
  finish();
}

void LaneCall::drop_connection() {
  if (LaneConnection* const connection = std::exchange(connection_, nullptr)) connection->close();
}

void LaneCall::on_head(const HttpHead& head) {
  head_ = head;
  if (route_->answers_aside) return;
  if (const std::string problem = encoding_problem(head); head.status / 100 == 2 && !problem.empty()) {
    drop_connection();
    if (carries_) return end_carrying({.message = problem}, false);
    return lose(head.status, problem);
  }
  if (head.status / 100 == 2 && has_type(head, "text/event-stream")) events_ = std::make_unique<EventStream>();
}

// What there is no memory for is lost.
template <class Body>
void LaneCall::or_lose(Body&& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
  }
  drop_connection();  // also of one that has ended, which the rest would be told to
  if (over_) return;
  if (carries_) return end_carrying({.message = kNoMemory}, false);
  fail(kNoMemory);
}

void LaneCall::begin_elsewhere() {
  or_lose([this] { hand_over({.how = HandedOver::How::begin}); });
}

void LaneCall::carry_on() {
  or_lose([this] { carry(); });
}

void LaneCall::on_body(std::string& body) {
  if (!events_) return;
  or_lose([&] { feed(body); });
}

void LaneCall::feed(std::string& bytes) {
  const std::string taken = std::exchange(bytes, {});
  const auto good = events_->feed(taken, [this](const Event& event) {
    if (over_ || event.type != "message" || event.data.empty()) return;
    carries_ ? say_carried(event.data) : on_text(event.data);
  });
  if (over_) {
    if (LaneConnection* const connection = std::exchange(connection_, nullptr)) connection->detach();
    return;
  }
  if (good) return;
  drop_connection();
  if (carries_) return end_carrying({.message = good.message()}, false);
  lose(head_.status, good.message());
}

void LaneCall::on_end(const HttpEnd& end, std::string& body) {
  or_lose([&] { take_end(end, body); });
}

void LaneCall::take_end(const HttpEnd& end, std::string& body) {
  const bool kept = std::exchange(connection_, nullptr)->kept();
  if (!end.sent && !carries_) return hand_over({.how = HandedOver::How::begin, .shuts = !kept});
  if (route_->answers_aside) return on_posted(end, body);
  if (events_) {
    feed(body);
    return over_ ? void() : on_stream_end(end);
  }
  if (carries_) {
    if (end.whole && !is_rpc_message(body)) return end_carrying({.message = describe(head_, body)}, false);
    if (end.whole) say_carried(body);
    return over_ ? void() : end_carrying(end, false);
  }
  if (!end.whole) return lose(head_.status, end.message);
  const bool redirected = head_.status == 307 || head_.status == 308;
  if (challenged() || redirected) return hand_over({.how = HandedOver::How::begin, .shuts = true});
  answer(body);
  if (carries_) end_carrying(end, false);
}

bool LaneCall::challenged() const {
  return route_->may_challenge && (head_.status == 401 || head_.status == 403);
}

// What comes with it says whether the request was taken, no more.
void LaneCall::on_posted(const HttpEnd& end, const std::string& body) {
  const bool taken = end.whole && head_.status / 100 == 2;
  if (carries_) {
    const std::string why = end.whole ? describe(head_, body) : end.message;
    return end_carrying({.whole = taken, .sent = end.sent, .message = why}, false);
  }
  if (taken) return why_lost_.empty() ? void() : lose({.message = why_lost_});
  if (!end.whole) return lose(head_.status, end.message);
  if (challenged()) return hand_over({.how = HandedOver::How::begin, .shuts = true});
  if (!refuse(body)) lose(head_.status, describe(head_, body));
}

void LaneCall::take_answer(const std::string& text) {
  or_lose([&] { on_text(text); });
  if (!over_ || !connection_) return;
  std::exchange(connection_, nullptr)->detach();  // what its POST is answered with may come yet
}

void LaneCall::lose_stream(const std::string& why, bool last) {
  if (connection_ && !last) {
    why_lost_ = why;
    return;
  }
  drop_connection();
  or_lose([&] { lose({.message = why}); });
}

// Before the answer came: a legacy remote may want us to come back for it.
void LaneCall::on_stream_end(const HttpEnd& end) {
  if (is_legacy() && !events_->last_id().empty()) carry();
  if (carries_) return end_carrying(end, true);
  lose(head_.status, end.whole ? "its stream ended before the answer" : end.message);
}

void LaneCall::end_carrying(const HttpEnd& end, bool may_resume) {
  CarriedEnd ended{.end = end, .last_event_id = {}, .retry_ms = {}};
  if (may_resume) ended.last_event_id = events_->last_id();
  if (may_resume) ended.retry_ms = events_->retry_ms();
  listener_.on_carried_end(as_request(), std::move(ended));
  finish();
}

// Whether a response says that the request is to be made again, perhaps in another session: the call has left then.
bool LaneCall::refuse(const std::string& body) {
  const SessionLoss loss = session_loss(head_.status, body, request_, is_legacy());
  if (loss == SessionLoss::certain || (loss != SessionLoss::none && !is_legacy())) {  // or it speaks another era now
    hand_over({.how = HandedOver::How::begin, .shuts = true});
    return true;
  }
  const std::uint64_t pause = retry_after_ms(head_);
  const bool busy = pause > 0 && pause <= limits::kBusyMsMax && target_.item->idempotent;
  if (loss != SessionLoss::possible && !busy) return false;
  lose({.http_status = head_.status,
        .message = describe(head_, body),
        .session_gone = loss == SessionLoss::possible,
        .retry_after_ms = pause});
  return true;
}

void LaneCall::answer(std::string& body) {
  const bool good = head_.status / 100 == 2;
  if (refuse(body)) return;
  if (!has_type(head_, "application/json")) return lose(head_.status, describe(head_, body));
  if (good && body.size() > limits::kLaneAnswerBytesMax) {
    return hand_over({.how = HandedOver::How::settle, .answer = std::move(body)});
  }
  if (!good && !is_rpc_message(body)) return lose(head_.status, describe(head_, body));
  on_text(body);
  if (!over_ && !carries_) lose(head_.status, what_is_wrong(body));
}

void LaneCall::on_text(std::string_view text) {
  const auto good =
      for_each_message(text, [this](const Message& message, std::string_view part) { on_message(message, part); });
  if (good) return;
  const Broken broken = examine(text);
  if (broken.is_answer && broken.id.value_or(request_) == request_ && !over_ && !carries_) {
    return lose(head_.status, "its answer is no message: " + good.message());
  }
  listener_.on_stray(target_.gate, std::string(text));
}

void LaneCall::on_message(const Message& message, std::string_view text) {
  if (over_) return;
  if (is_legacy() && message.is_request() && message.method != "ping") carry();  // it asks something
  if (carries_) return say_carried(text);
  if (message.is_response()) {
    const auto number = message.number();
    // An error that names no request answers the one whose stream it came on.
    if (number ? *number == request_ : message.error.data() != nullptr) settle(message, text);
    return;
  }
  const bool progress = message.method == "notifications/progress" &&
                        find_unsigned(message.params, "progressToken") == std::optional(request_);
  if (!message.is_request() && (progress || message.method == "notifications/message")) {
    return tell(host_, call_.id, message);
  }
  listener_.on_stray(target_.gate, std::string(text));
}

void LaneCall::settle(const Message& message, std::string_view text) {
  const auto hand_over_answer = [&] { hand_over({.how = HandedOver::How::settle, .answer = std::string(text)}); };
  if (text.size() > limits::kLaneAnswerBytesMax) return hand_over_answer();
  if (message.error.data()) {
    const RpcError error = read_error(message.error);
    if (error.code == kHeaderMismatch || error.code == kMissingClientCapability) return hand_over_answer();
    host_.fail(call_.id, error.code, route_->without_secrets(error.message), error.data);
    return finish();
  }
  if (!is_legacy() && message.result.find("\"resultType\"") != std::string_view::npos &&
      find_string(message.result, "resultType").value_or("complete") != "complete") {
    return hand_over_answer();
  }
  host_.complete_with(call_.id, message.result);
  finish();
}

void LaneCall::lose(int status, std::string_view why) { lose({.http_status = status, .message = std::string(why)}); }

// The request has left: only what may be repeated is.
void LaneCall::lose(Lost lost) {
  const bool repeatable = target_.item->idempotent && (lost.http_status == 0 || lost.retry_after_ms > 0);
  if (!repeatable && !lost.session_gone) return fail(lost.message);
  hand_over({.how = HandedOver::How::lose, .lost = std::move(lost)});
}

void LaneCall::hand_over(HandedOver handed) {
  handed.call = std::move(call_);
  handed.item = target_.item;
  handed.request = as_request();
  handed.opening = route_->opening;
  handed.era = route_->sender.era;
  listener_.hand_over(std::move(handed));
  finish();
}

void LaneCall::fail(std::string_view why) {
  const std::string shown = route_->without_secrets(std::string(why));
  host_.fail(call_.id, kInternalError, "remote " + route_->config.name + ": " + shown);
  finish();
}

void LaneCall::finish() {
  over_ = true;
  if (!std::exchange(carries_, false)) target_.gate->leave(loop_);
  owner_.on_over(*this);
}

}  // namespace collet::client
