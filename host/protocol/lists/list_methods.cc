#include "protocol/lists/list_methods.h"

#include "protocol/error.h"
#include "protocol/lists/subscription.h"
#include "protocol/server.h"
#include "protocol/server_loop.h"
#include "protocol/tasks/task_offer.h"
#include "registry/uri_spelling.h"

namespace collet::protocol {
namespace {

// An array of strings of the client's wishes, each handed to `note`; an absent one is empty.
template <class Note>
std::optional<rpc::Error> read_strings(const json::Value& wishes, std::string_view name, Note&& note) {
  const json::Value* strings = json::find(wishes, name);
  if (!strings) return std::nullopt;
  if (!strings->IsArray()) return rpc::invalid_params("{} must be an array", name);
  if (strings->Size() > limits::kSubscriptionUrisMax) {
    return rpc::invalid_params("over {} {}", limits::kSubscriptionUrisMax, name);
  }
  for (const json::Value& string : strings->GetArray()) {
    if (!string.IsString()) return rpc::invalid_params("{} must be strings", name);
    note(json::view(string));
  }
  return std::nullopt;
}

// What of the client's wishes can be served: URIs that nobody offers are left out, as the acknowledgement shows.
std::optional<rpc::Error> read_filter(const json::Value& wishes, ServerLoop& loop, const Context& context,
                                      NotificationFilter& out) {
  for (const mcp::ChangingList& list : mcp::kChangingLists) {
    const json::Value* wanted = json::find(wishes, list.asked_by);
    if (wanted && !wanted->IsBool()) return rpc::invalid_params("{} must be true or false", list.asked_by);
    if (wanted && wanted->GetBool()) out.lists |= list.kinds;
  }
  return read_strings(wishes, "resourceSubscriptions", [&](std::string_view uri) {
    const auto found = loop.catalog().find(registry::CallKind::resource, uri, context.principal);
    if (!found.item) return;
    out.uris.try_emplace(registry::watched_uri(uri),
                         NotificationFilter::Uri{std::string(uri), std::string(found.uri(uri))});
  });
}

// Likewise of the tasks that it wants to follow: those that are not its own are left out.
std::optional<rpc::Error> read_tasks(const json::Value& wishes, const Context& context, TaskTable& tasks,
                                     NotificationFilter& out) {
  if (json::find(wishes, "taskIds") && !can_do_tasks(context)) return missing_extension(kTasksExtension);
  return read_strings(wishes, "taskIds", [&](std::string_view id) {
    if (TaskPtr task = tasks.find(id, task_owner(context), monotonic_ms())) out.tasks.push_back(std::move(task));
  });
}

}  // namespace

void list_items(ServerLoop& loop, RequestPtr request, registry::Kind kind) {
  std::optional<std::string_view> cursor;
  const json::Value* value = request->message.param("cursor");
  if (value) {
    if (!value->IsString()) return request->invalid_params("cursor must be a string");
    cursor = json::view(*value);
  }
  const auto page = loop.catalog().listing(kind, request->context.principal).page(cursor, request->context.era);
  if (!page) return request->invalid_params("unknown cursor");

  const bool more = !page->next_cursor.empty();
  const bool modern = request->context.era == Era::modern;
  request->exchange.result({R"({")", mcp::names_of(kind).list_member, R"(":[)", page->items, "]",
                            more ? R"(,"nextCursor":")" : "", page->next_cursor, more ? "\"" : "", modern ? "," : "",
                            modern ? std::string_view(loop.server().cacheable_stamp()) : "", "}"});
}

void listen(ServerLoop& loop, RequestPtr request) {
  const json::Value* wishes = request->message.param("notifications");
  if (!wishes || !wishes->IsObject()) return request->invalid_params("notifications must be an object");
  if (!request->exchange.can_ask()) {
    return request->exchange.error(
        {mcp::kInvalidRequest, "A subscription is a stream: accept text/event-stream", {}, 406});
  }
  NotificationFilter filter;
  auto bad = read_filter(*wishes, loop, request->context, filter);
  if (!bad) bad = read_tasks(*wishes, request->context, loop.server().tasks(), filter);
  if (bad) return request->exchange.error(*bad);
  if (!loop.held_open().has_room_for_subscription(registry::id_of(request->context.principal))) {
    return request->exchange.error(rpc::internal_error("Too many subscriptions are open"));
  }
  if (loop.held_open().ends_streams()) return request->exchange.error(rpc::internal_error("The server is ending"));
  const std::uint64_t serial = loop.next_serial();
  loop.held_open().hold(serial, std::make_unique<Subscription>(loop, serial, *request, std::move(filter)));
}

}  // namespace collet::protocol
