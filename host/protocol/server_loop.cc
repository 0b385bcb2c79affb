#include "protocol/server_loop.h"

#include <algorithm>
#include <charconv>
#include <new>

#include "base/json_members.h"
#include "protocol/http/access.h"
#include "protocol/lists/notifications.h"
#include "protocol/methods.h"
#include "protocol/server.h"
#include "protocol/shares.h"

namespace collet::protocol {
namespace {

// What a client has answered one of our questions with, or why it has not.
Result<std::string> answer_in(const rpc::Message& message) {
  if (message.result && message.result->IsObject()) return json::to_text(*message.result);
  if (!message.error || !message.error->IsObject()) return error("its answer is no object");
  const json::Value* const code = json::find(*message.error, "code");
  const std::string_view reason = json::find_string(*message.error, "message").value_or("it gives no reason");
  return error("{}{}", reason, code && code->IsInt() ? fmt::format(" ({})", code->GetInt()) : "");
}

}  // namespace

ServerLoop::ServerLoop(Server& server, loop::Loop& loop, unsigned index)
    : server_(server),
      loop_(loop),
      index_(index),
      snapshot_(std::make_shared<registry::Snapshot>()),
      listings_(std::make_shared<Listings>(*snapshot_, 1)),
      calls_(loop),
      news_(loop, server.options().list_changed_interval_ms, [this](unsigned changed) { tell_lists_changed(changed); }) {}

ServerLoop::~ServerLoop() = default;

std::optional<rpc::Error> ServerLoop::read(std::string_view text, Request& request, std::string_view client) {
  auto bad = rpc::parse_message(text, request.arena, request.message);
  const auto& memory = server_.options().request_memory;
  const bool lasts = !bad && request.message.kind == rpc::Message::Kind::request;  // anything else is over at once
  const std::size_t bytes = lasts && memory ? request.arena.bytes() : 0;
  if (bytes <= limits::kUncountedParseBytesMax) return bad;
  request.hold.emplace(memory, counted_to(request.context.principal, client));
  if (request.hold->grow(bytes)) return std::nullopt;
  return rpc::Error{mcp::kInternalError, "The server has no room for this request now: too much is being sent at once", {},
                    503};
}

void ServerLoop::handle(RequestPtr request) {
  if (const auto& observers = server_.options().observers; !observers.empty()) observe(*request, observers);
  const Method* method = find_method(request->message.method, request->context.era);
  if (!method) return request->exchange.error(rpc::method_not_found(request->message.method));
  if (method->is_about_tasks && tasks_.fetch_for(request, [this, handler = method->handler](RequestPtr waited) {
        handler(*this, std::move(waited));
      })) {
    return;
  }
  method->handler(*this, std::move(request));
}

void ServerLoop::refuse(Request& request, const rpc::Error& error) {
  if (const auto& observers = server_.options().observers; !observers.empty()) observe(request, observers);
  request.exchange.error(error);
}

void ServerLoop::notice(const Request& request) {
  if (request.message.kind == rpc::Message::Kind::response) return answered(request);
  if (request.message.method == "notifications/cancelled") cancelled(request);
}

void ServerLoop::cancelled(const Request& request) {
  const json::Value* value = request.message.param("requestId");
  const auto id = value ? rpc::Id::from(*value) : std::nullopt;
  rpc::InFlight* in_flight = in_flight_of(request);
  if (!id || !in_flight) return;
  if (const auto place = in_flight->find(*id)) server_.cancel(*place);
}

void ServerLoop::answered(const Request& request) {
  std::uint64_t id = 0;
  const std::string& text = request.message.id.text();
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (bad != std::errc() || end != text.data() + text.size() || !request.context.session) return;
  auto question = request.context.session->take_question(id);
  if (!question) return;
  server_.respond(question->asker, std::move(question->key), answer_in(request.message));
}

rpc::InFlight* ServerLoop::in_flight_of(const Request& request) {
  if (request.context.transport == Transport::stdio) {
    return stdio_client_ ? &stdio_client_->session().in_flight() : nullptr;
  }
  return request.context.session ? &request.context.session->in_flight() : nullptr;
}

const Viewed* ServerLoop::viewed(const registry::PrincipalPtr& principal) {
  const registry::View* view = registry::view_of(principal);
  if (!view) return nullptr;
  const Viewed*& viewed = viewed_[view];
  if (!viewed) viewed = &listings_->under(principal->view, *snapshot_);
  return viewed;
}

const registry::Item* ServerLoop::find(registry::Kind kind, std::string_view name, const Context& context) {
  const registry::Item* item = snapshot_->find(kind, name);
  const Viewed* seen = item ? viewed(context.principal) : nullptr;
  return seen && !seen->shows(*item) ? nullptr : item;
}

bool ServerLoop::sees(const registry::PrincipalPtr& principal, std::string_view uri) const {
  const registry::View* view = registry::view_of(principal);
  return !view || snapshot_->find_resource(uri, view).item;
}

registry::Snapshot::Found ServerLoop::find(registry::CallKind kind, std::string_view name, const Context& context) {
  if (kind == registry::CallKind::resource) {
    return snapshot_->find_resource(name, registry::view_of(context.principal));
  }
  const auto items = kind == registry::CallKind::tool ? registry::Kind::tool : registry::Kind::prompt;
  return {find(items, name, context), {}};
}

const Listing& ServerLoop::listing(registry::Kind kind, const registry::PrincipalPtr& principal) {
  const Viewed* seen = viewed(principal);
  return seen ? seen->of(kind) : listings_->of(kind);
}

std::size_t ServerLoop::fingerprint(registry::Kind kind, const registry::PrincipalPtr& principal) {
  const std::size_t own = listing(kind, principal).fingerprint();
  if (kind != registry::Kind::resource) return own;
  return own ^ 31 * listing(registry::Kind::resource_template, principal).fingerprint();
}

// Who is known has no more than a share.
bool ServerLoop::has_room_for_subscription(const std::string& principal) const {
  constexpr std::size_t kShare = share_of(limits::kSubscriptionsMax);
  const auto count_of = [&](std::string_view of) {
    return static_cast<std::size_t>(
        std::ranges::count_if(held_open_, [&](const auto& each) { return each.second->is_subscription_of(of); }));
  };
  if (count_of({}) >= limits::kSubscriptionsMax) return false;
  return principal.empty() || count_of(principal) < kShare;
}

std::function<void()> ServerLoop::waker(std::uint64_t serial) {
  return [&server = server_, place = rpc::Place{index_, serial}] { server.wake(place); };
}

void ServerLoop::wake(std::uint64_t serial) {
  if (const auto found = held_open_.find(serial); found != held_open_.end()) found->second->look();
}

void ServerLoop::tell_session(Session& session, const std::string& message) {
  if (stdio_client_ && &stdio_client_->session() == &session) return stdio_client_->send(message);
  if (const EventLogPtr log = session.side_log()) log->append(message);
}

void ServerLoop::end_streams() {
  std::erase_if(held_open_, [](const auto& each) { return each.second->is_endless(); });
  ends_streams_ = true;
  for (const auto& [serial, route] : routes_) {
    if (route->is_stream()) route->cancel(registry::CancelReason::shutdown);
  }
}

void ServerLoop::cancel_calls(registry::CancelReason reason) {
  waiting_.give_up();
  calls_.cancel_all(reason);
  for (const auto& [serial, route] : routes_) route->cancel(reason);
}

const registry::Item* ServerLoop::find_route(std::string_view path, const registry::PrincipalPtr& principal) const {
  using registry::Kind;
  const registry::View* view = registry::view_of(principal);
  if (view && view->denies(path, Kind::route)) return nullptr;
  const registry::Item* route = snapshot_->find(Kind::route, path);
  if (std::ranges::count(path, '/') > limits::kRouteSegmentsMax) return nullptr;
  for (std::size_t slash = path.rfind('/'); !route && slash != 0; slash = path.rfind('/', slash - 1)) {
    route = snapshot_->find(Kind::route, std::string(path.substr(0, slash + 1)) + "*");
  }
  return route && view && view->sight_of(*route) == registry::Sight::hidden ? nullptr : route;
}

void ServerLoop::begin_route(const registry::Item& route, std::string_view path, registry::WebRequestPtr request,
                             transport::HttpReply& reply, RouteVisit visit) {
  const std::uint64_t serial = next_serial();
  const std::uint32_t own_ms = route.def->timeout_ms;
  const auto [at, is_new] = routes_.emplace(serial, std::make_unique<RouteCall>(*this, serial, reply, std::move(visit)));
  try {
    const std::uint64_t timeout_ms = own_ms ? own_ms : server_.options().call_timeout_ms;
    if (at->second->begin(route, path, std::move(request), timeout_ms)) end_route(serial);
  } catch (const std::bad_alloc&) {  // it has not begun
    end_route(serial);
    throw;
  }
}

void ServerLoop::flush_route(std::uint64_t serial) {
  if (const auto found = routes_.find(serial); found != routes_.end()) found->second->flush();
}

void ServerLoop::cancel(std::uint64_t serial) {
  if (ItemCall* call = calls_.find(serial)) return call->cancel(registry::CancelReason::client);
  if (const auto found = held_open_.find(serial); found != held_open_.end()) found->second->cancel();
}

void ServerLoop::adopt(registry::SnapshotPtr snapshot, std::shared_ptr<const Listings> listings, unsigned changed) {
  snapshot_ = std::move(snapshot);
  listings_ = std::move(listings);
  viewed_.clear();
  changes_.note(changed);
  news_.note(changed);
}

void ServerLoop::tell_lists_changed(unsigned changed) {
  for (const mcp::ChangingList& list : mcp::kChangingLists) {
    if (!(changed & list.kinds)) continue;
    const bool several = changes_.take(list) > 1;
    for (const auto& [serial, held] : held_open_) held->list_changed(list, several);
    if (stdio_client_ && stdio_client_->session().initialized() &&
        list_is_news(stdio_client_->session(), list.kind, several)) {
      stdio_client_->send(list_changed_message(list));
    }
  }
}

// Who sees everything sees each change. Of several at once one may have undone another, and have been seen meanwhile.
bool ServerLoop::list_is_news(Session& session, registry::Kind kind, bool several) {
  const registry::PrincipalPtr& principal = session.principal();
  if (!registry::view_of(principal)) return true;
  return session.note_list(kind, fingerprint(kind, principal)) || several;
}

void ServerLoop::note_lists(Session& session) {
  if (!registry::view_of(session.principal())) return;
  for (unsigned kind = 0; kind < registry::kListedKinds; ++kind) list_is_news(session, static_cast<registry::Kind>(kind));
}

void ServerLoop::tell_updated(std::string_view key) {
  for (const auto& [serial, held] : held_open_) held->resource_updated(key);
  if (!stdio_client_) return;
  const Session& session = stdio_client_->session();
  const auto uri = session.subscribed(key);
  if (uri && sees(session.principal(), *uri)) stdio_client_->send(resource_updated_message(*uri));
}

}  // namespace collet::protocol
