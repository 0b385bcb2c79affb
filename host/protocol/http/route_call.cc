#include "protocol/http/route_call.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "protocol/http/http_content.h"
#include "protocol/server.h"

namespace collet::protocol {

using transport::Header;

namespace {

// What a plugin may know of the caller, by the keys of collet_host.call_info.
std::map<std::string, std::string, std::less<>> caller_info(const registry::PrincipalPtr& principal) {
  std::map<std::string, std::string, std::less<>> info{{"transport", "http"}};
  if (!principal) return info;
  if (!principal->id.empty()) info.emplace("principal", principal->id);
  if (!principal->tenant.empty()) info.emplace("tenant", principal->tenant);
  if (principal->kind == registry::Principal::Kind::token) info.emplace("scopes", text::json_strings(principal->scopes));
  return info;
}

bool is_event_stream(const registry::WebHead& head) {
  if (head.status != 200) return false;
  return std::ranges::any_of(head.fields, [](const registry::WebField& field) {
    const std::string_view type = std::string_view(field.value).substr(0, kEventsType.size());
    return text::equals_ignoring_case(field.name, "Content-Type") && text::equals_ignoring_case(type, kEventsType);
  });
}

bool has_body(int status) { return status != 204 && status != 304; }

}  // namespace

RouteCall::RouteCall(ServerLoop& loop, std::uint64_t serial, transport::HttpReply& reply,
                     registry::PrincipalPtr principal, std::string page)
    : loop_(loop),
      serial_(serial),
      reply_(&reply),
      principal_(std::move(principal)),
      page_(std::move(page)),
      info_(caller_info(principal_)),
      deadline_(loop.loop()) {}

bool RouteCall::begin(const registry::Item& route, std::string_view path, registry::WebRequestPtr request,
                      std::uint64_t timeout_ms) {
  source_ = route.source;
  provider_ = route.provider;
  registry::Call call;
  call.kind = registry::CallKind::route;
  call.loop = loop_.index();
  call.name = path;
  call.timeout_ms = timeout_ms;
  call.principal = &principal_;
  call.web = std::move(request);
  starting_ = true;
  id_ = registry::start_call(loop_.snapshot(), route, call, *this);
  starting_ = false;
  if (ended_) return true;
  reply_->observe(this);
  if (timeout_ms > 0) deadline_.start(timeout_ms, [this] { expire(); });
  flush();
  return false;
}

void RouteCall::on_log(const registry::LogMessage& message) {
  log::debug("plugin {}: of a request to it: {}", *source_, message.data);
}

void RouteCall::on_answer_head(registry::WebHead head) {
  head_ = std::move(head);
  flush_later();
}

void RouteCall::on_answer_bytes(std::string& bytes) {
  pending_ += bytes;
  flush_later();
}

// In the loop's next turn: the end of a short answer is told in this one.
void RouteCall::flush_later() {
  if (starting_ || std::exchange(flush_comes_, true)) return;
  loop_.loop().post([&loop = loop_, serial = serial_] { loop.flush_route(serial); });
}

void RouteCall::flush() {
  flush_comes_ = false;
  if (!reply_) return acknowledge();
  if (head_ && has_body(head_->status)) write();
}

std::vector<Header> RouteCall::headers() const {
  const bool events = is_event_stream(*head_);
  std::vector<Header> headers{{"X-Content-Type-Options", "nosniff"}};
  for (const registry::WebField& field : head_->fields) {
    const bool is_type = text::equals_ignoring_case(field.name, "Content-Type");
    if (!(events && is_type)) headers.push_back({field.name, field.value});
  }
  if (!page_.empty()) {
    const auto more = readable_by(page_);
    headers.insert(headers.end(), more.begin(), more.end());
  }
  return headers;
}

void RouteCall::write() {
  if (!std::exchange(begun_, true)) {
    deadline_.stop();
    if (is_event_stream(*head_)) {
      reply_->begin_events(headers());
    } else {
      reply_->begin(head_->status, headers());
    }
  }
  unread_ += pending_.size();
  reply_->write(std::exchange(pending_, {}));
  if (reply_ && reply_->room() > 0) acknowledge();
}

// Whatever has been said up to now does not keep the plugin from saying more.
void RouteCall::acknowledge() {
  const std::size_t bytes = std::exchange(unread_, 0) + (reply_ ? 0 : std::exchange(pending_, {}).size());
  if (bytes > 0) provider_->taken(id_, bytes);
}

void RouteCall::on_sent() { acknowledge(); }

void RouteCall::on_gone() {
  reply_ = nullptr;
  acknowledge();
  cancel(registry::CancelReason::client);
}

void RouteCall::cancel(registry::CancelReason reason) { provider_->cancel(id_, reason); }

void RouteCall::expire() {
  refuse(504, fmt::format("The plugin {} did not answer in time\n", *source_));
  cancel(registry::CancelReason::deadline);
}

void RouteCall::refuse(int status, std::string_view message) {
  if (reply_) protocol::refuse(*std::exchange(reply_, nullptr), page_, status, message);
}

void RouteCall::on_end(registry::Ending& ending) {
  ended_ = true;
  if (reply_) answer(ending);
  reply_ = nullptr;
  if (!starting_) loop_.end_route(serial_);  // destroys this
}

void RouteCall::answer(const registry::Ending& ending) {
  const bool is_whole = ending.how == registry::Ending::How::completed;
  if (begun_ && is_whole) {
    if (!pending_.empty()) reply_->write(pending_);
    return reply_->end();
  }
  if (begun_) {
    log::warning("plugin {}: an answer over HTTP is cut: {}", *source_, ending.message);
    return reply_->abort();
  }
  if (is_whole && head_) {
    const std::string_view body[] = {has_body(head_->status) ? std::string_view(pending_) : std::string_view()};
    return reply_->respond(head_->status, headers(), body);
  }
  if (is_whole) return refuse(500, fmt::format("The plugin {} has not said how its answer begins\n", *source_));
  refuse(ending.rpc_code == registry::kInvalidParams ? 400 : 500, ending.message + "\n");
}

std::optional<std::string_view> RouteCall::info(std::string_view key) const {
  const auto known = info_.find(key);
  return known == info_.end() ? std::nullopt : std::optional<std::string_view>(known->second);
}

}  // namespace collet::protocol
