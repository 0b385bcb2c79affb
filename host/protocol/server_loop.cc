#include "protocol/server_loop.h"

#include <charconv>

#include "base/json.h"
#include "protocol/http/access.h"
#include "protocol/methods.h"
#include "protocol/server.h"

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
      deadlines_(loop),
      routes_(loop, index, catalog_, deadlines_, server.options().call_timeout_ms),
      news_(loop, server.options().list_changed_interval_ms, catalog_, held_open_, clients_) {}

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
  rpc::InFlight* in_flight = clients_.in_flight_of(request);
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

std::function<void()> ServerLoop::waker(std::uint64_t serial) {
  return [&server = server_, place = rpc::Place{index_, serial}] { server.wake(place); };
}

void ServerLoop::end_streams() {
  held_open_.end_streams();
  routes_.end_streams();
}

void ServerLoop::cancel_calls(registry::CancelReason reason) {
  waiting_.give_up();
  calls_.cancel_all(reason);
  routes_.cancel_all(reason);
}

void ServerLoop::cancel(std::uint64_t serial) {
  if (ItemCall* call = calls_.find(serial)) return call->cancel(registry::CancelReason::client);
  held_open_.cancel(serial);
}

void ServerLoop::respond(std::uint64_t serial, const std::string& key, const Result<std::string>& result) {
  if (ItemCall* call = calls_.find(serial)) call->respond(key, result);
}

void ServerLoop::adopt(registry::SnapshotPtr snapshot, std::shared_ptr<const Listings> listings, unsigned changed) {
  catalog_.adopt(std::move(snapshot), std::move(listings));
  news_.note_lists(changed);
}

}  // namespace collet::protocol
