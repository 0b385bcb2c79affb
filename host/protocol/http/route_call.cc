#include "protocol/http/route_call.h"

#include <algorithm>
#include <new>

#include "base/log.h"
#include "base/text.h"
#include "protocol/http/http_content.h"
#include "protocol/http/route_calls.h"
#include "transport/http_response.h"

namespace collet::protocol {

using transport::Header;
using transport::HttpReply;
using transport::status_has_body;

namespace {

constexpr std::string_view kContentType = "Content-Type";

bool is_event_stream(const registry::WebHead& head) {
  if (head.status != 200) return false;
  return std::ranges::any_of(head.fields, [](const registry::WebField& field) {
    const std::string_view type = std::string_view(field.value).substr(0, field.value.find_first_of("; "));
    return text::equals_ignoring_case(field.name, kContentType) && text::equals_ignoring_case(type, kEventsType);
  });
}

}  // namespace

RouteCall::RouteCall(RouteCalls& calls, std::uint64_t serial, HttpReply& reply, RouteVisit visit)
    : calls_(calls), serial_(serial), reply_(&reply), visit_(std::move(visit)), round_(calls.deadlines()) {
  Context context;
  context.transport = Transport::http;
  context.principal = visit_.principal;
  context.headers = visit_.headers;
  for (const char* key : {"transport", "principal", "tenant", "scopes", "headers"}) {
    if (auto known = context.info(key)) info_.emplace(key, std::move(*known));
  }
}

bool RouteCall::begin(const registry::Item& route, std::string_view path, registry::WebRequestPtr request,
                      std::uint64_t timeout_ms) {
  body_follows_ = !request->is_whole;
  round_.aim(registry::CallKind::route, route);
  round_.start(calls_.snapshot(), route,
               {.loop = calls_.index(),
                .name = path,
                .timeout_ms = timeout_ms,
                .principal = &visit_.principal,
                .web = std::move(request)},
               *this);
  if (ended_) return true;
  reply_->observe(this);
  flush();
  return false;
}

void RouteCall::on_log(const registry::LogMessage& message) {
  log::debug("plugin {}: of a request to it: {}", round_.source(), message.data);
}

void RouteCall::on_answer_head(registry::WebHead head) {
  events_ = is_event_stream(head);
  head_ = std::move(head);
  flush_later();
  round_.lift_deadline();
}

void RouteCall::on_answer_bytes(std::string& bytes) {
  try {
    pending_.empty() ? pending_.swap(bytes) : void(pending_ += bytes);
  } catch (const std::bad_alloc&) {
    lost_ = true;
    untaken_ += bytes.size();
  }
  flush_later();
}

void RouteCall::on_body_taken(std::size_t bytes) {
  body_is_awaited_ = true;
  body_ahead_ -= std::min(bytes, body_ahead_);
  if (reply_) reply_->body_taken(bytes);
}

// In the loop's next turn: the end of a short answer is told in this one.
void RouteCall::flush_later() {
  if (round_.starting() || flush_comes_) return;
  calls_.loop().post([&calls = calls_, serial = serial_] { calls.flush(serial); });
  flush_comes_ = true;
}

void RouteCall::flush() {
  flush_comes_ = false;
  if (!reply_) return acknowledge();
  try {
    if (lost_) return give_up();
    if (head_) say();
  } catch (const std::bad_alloc&) {
    give_up();
  }
}

void RouteCall::say() {
  if (visit_.wants_head_only) return say_head_alone();
  if (!status_has_body(head_->status)) return say_no_body();
  begin_answer();
  write();
}

// Of an answer that goes on nobody wants to hear the rest.
void RouteCall::say_head_alone() {
  begin_answer();
  end_reply().end();
  acknowledge();
  cancel(registry::CancelReason::client);
}

// That is all of it, and nobody hears the rest of the request.
void RouteCall::say_no_body() {
  end_reply().respond(head_->status, headers(), {});
  acknowledge();
  if (body_follows_) cancel(registry::CancelReason::client);
}

void RouteCall::begin_answer() {
  if (std::exchange(begun_, true)) return;
  if (events_) {
    reply_->begin_events(headers());
    if (calls_.ends_streams()) cancel(registry::CancelReason::shutdown);
  } else {
    reply_->begin(head_->status, headers());
  }
}

// As far as the client's connection takes it; on_sent() goes on.
void RouteCall::write() {
  if (reply_->room() == 0) return;
  if (!pending_.empty()) {
    untaken_ += pending_.size();
    reply_->write(std::exchange(pending_, {}));
  }
  if (reply_->room() > 0) acknowledge();
}

// What has left does not keep the plugin from saying more; nor does what nobody will read.
void RouteCall::acknowledge() {
  const std::size_t bytes = std::exchange(untaken_, 0) + (reply_ ? 0 : std::exchange(pending_, {}).size());
  if (bytes > 0) round_.taken(bytes);
}

void RouteCall::on_sent() {
  acknowledge();
  flush();
}

void RouteCall::on_gone() {
  reply_ = nullptr;
  acknowledge();
  cancel(registry::CancelReason::client);
}

void RouteCall::on_body(std::string_view bytes, bool last) {
  body_ahead_ += bytes.size();
  body_follows_ = !last;
  try {
    round_.body(bytes, last);
  } catch (const std::bad_alloc&) {
    give_up();
  }
}

void RouteCall::on_body_failed(int status, std::string_view why) {
  try {
    if (begun_) {
      end_reply().abort();
    } else {
      refuse(status, fmt::format("{}\n", why));
    }
  } catch (const std::bad_alloc&) {
    return give_up();
  }
  acknowledge();
  cancel(registry::CancelReason::client);
}

void RouteCall::cancel(registry::CancelReason reason) { round_.cancel(reason); }

void RouteCall::on_deadline() {
  const bool waits_for_client = body_follows_ && body_is_awaited_ && body_ahead_ == 0;
  try {
    if (waits_for_client) {
      refuse(408, "The request's body did not come in time\n");
    } else {
      refuse(504, fmt::format("The plugin {} did not answer in time\n", round_.source()));
    }
  } catch (const std::bad_alloc&) {
    give_up();
  }
}

HttpReply& RouteCall::end_reply() { return *std::exchange(reply_, nullptr); }

void RouteCall::refuse(int status, std::string_view message) {
  if (reply_) protocol::refuse(end_reply(), visit_.page, status, message);
}

void RouteCall::give_up() {
  if (!reply_) return;
  log::error("out of memory: an answer of the plugin {} over HTTP is cut", round_.source());
  end_reply().abort();
  acknowledge();
  if (!ended_) cancel(registry::CancelReason::client);
}

void RouteCall::on_end(registry::Ending& ending) {
  ended_ = true;
  round_.ended();
  try {
    if (lost_) give_up();
    if (reply_) answer(ending);
  } catch (const std::bad_alloc&) {
    give_up();
  }
  if (!round_.starting()) calls_.end(serial_);  // destroys this
}

void RouteCall::answer(const registry::Ending& ending) {
  const bool is_whole = ending.how == registry::Ending::How::completed;
  if (!is_whole && begun_) {
    log::warning("plugin {}: an answer over HTTP is cut: {}", round_.source(), ending.message);
    return end_reply().abort();
  }
  if (!is_whole) return refuse(ending.rpc_code == mcp::kInvalidParams ? 400 : 500, ending.message + "\n");
  if (!head_) return refuse(500, fmt::format("The plugin {} has not said how its answer begins\n", round_.source()));
  if (begun_ || events_) {
    begin_answer();
    reply_->write(pending_, true);
    return end_reply().end();
  }
  const std::string_view body[] = {status_has_body(head_->status) ? std::string_view(pending_) : std::string_view()};
  end_reply().respond(head_->status, headers(), body);
}

// With the plugin's fields, which are borrowed.
std::vector<Header> RouteCall::headers() const {
  std::vector<Header> headers{{"X-Content-Type-Options", "nosniff"}};
  for (const registry::WebField& field : head_->fields) {
    const bool is_type = text::equals_ignoring_case(field.name, kContentType);
    if (!(events_ && is_type)) headers.push_back({field.name, field.value});  // that the transport says
  }
  if (visit_.page.empty()) {
    headers.push_back({"Vary", "Origin"});
  } else {
    const auto more = readable_by(visit_.page);
    headers.insert(headers.end(), more.begin(), more.end());
  }
  return headers;
}

std::optional<std::string_view> RouteCall::info(std::string_view key) const {
  if (const auto known = info_.find(key); known != info_.end()) return known->second;
  constexpr std::string_view kHeader = "header:";
  for (const auto& [name, value] : visit_.headers) {
    if (key.starts_with(kHeader) && text::equals_ignoring_case(name, key.substr(kHeader.size()))) return value;
  }
  return std::nullopt;
}

}  // namespace collet::protocol
