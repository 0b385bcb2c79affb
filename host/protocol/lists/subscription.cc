#include "protocol/lists/subscription.h"

#include <algorithm>

#include "base/json_members.h"
#include "base/text.h"
#include "protocol/error.h"
#include "protocol/server.h"
#include "protocol/shares.h"
#include "registry/uri_spelling.h"

namespace collet::protocol {
namespace {

using registry::Kind;

constexpr std::uint64_t kNever = ~std::uint64_t{0};  // no revision of a task

std::string acknowledged(const NotificationFilter& filter) {
  json::ObjectText out;
  for (const mcp::ChangingList& list : mcp::kChangingLists) {
    if (filter.lists & list.kinds) out.add_bool(list.asked_by, true);
  }
  json::ArrayText uris, tasks;
  for (const auto& [key, uri] : filter.uris) uris.add(text::json_string(uri.asked));
  for (const TaskPtr& task : filter.tasks) tasks.add(text::json_string(task->id()));
  if (!filter.uris.empty()) out.add("resourceSubscriptions", uris.take());
  if (!filter.tasks.empty()) out.add("taskIds", tasks.take());
  return out.take();
}

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
    const auto found = loop.find(registry::CallKind::resource, uri, context);
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

void ServerLoop::listen(RequestPtr request) {
  const json::Value* wishes = request->message.param("notifications");
  if (!wishes || !wishes->IsObject()) return request->invalid_params("notifications must be an object");
  if (!request->exchange.can_ask()) {
    return request->exchange.error(
        {mcp::kInvalidRequest, "A subscription is a stream: accept text/event-stream", {}, 406});
  }
  NotificationFilter filter;
  auto bad = read_filter(*wishes, *this, request->context, filter);
  if (!bad) bad = read_tasks(*wishes, request->context, server_.tasks(), filter);
  if (bad) return request->exchange.error(*bad);
  if (!has_room_for_subscription(registry::id_of(request->context.principal))) {
    return request->exchange.error(rpc::internal_error("Too many subscriptions are open"));
  }
  if (ends_streams_) return request->exchange.error(rpc::internal_error("The server is ending"));
  const std::uint64_t serial = next_serial();
  hold_open(serial, std::make_unique<Subscription>(*this, serial, *request, std::move(filter)));
}

Subscription::Subscription(ServerLoop& loop, std::uint64_t serial, Request& request, NotificationFilter filter)
    : loop_(loop),
      serial_(serial),
      principal_(request.context.principal),
      filter_(std::move(filter)),
      in_flight_(loop.in_flight_of(request)),
      http_(request.http),
      exchange_(request.context.transport == Transport::http ? request.exchange.move_to(http_)
                                                             : std::move(request.exchange)) {
  if (request.context.transport == Transport::http) {
    request.http.forget();
    http_.reply()->observe(this);
  }
  if (in_flight_) in_flight_->add(exchange_.id(), {loop_.index(), serial_});
  if (registry::view_of(principal_)) {
    for (unsigned kind = 0; kind < registry::kListedKinds; ++kind) note_list(static_cast<Kind>(kind));
  }
  for (const auto& [key, uri] : filter_.uris) watches_.push_back(loop.server().watch(uri.known));
  notify("notifications/subscriptions/acknowledged", R"("notifications":)" + acknowledged(filter_));
  for (const TaskPtr& task : filter_.tasks) {
    // What is over will not change: so each is told of once in any case.
    tasks_.push_back({std::make_unique<TaskWatch>(task, loop.waker(serial)), kNever});
  }
  look();
}

// What ends without the client's doing ends with an answer.
Subscription::~Subscription() {
  if (in_flight_) in_flight_->remove(exchange_.id());
  exchange_.result({R"({"resultType":"complete","_meta":{)", meta(), ",", loop_.server().server_info_member(), "}}"});
}

std::string Subscription::meta() const {
  return fmt::format(R"("{}":{})", mcp::kSubscriptionId, exchange_.id().text());
}

void Subscription::notify(std::string_view method, std::string_view members) {
  std::string params = R"({"_meta":{)" + meta() + "}";
  if (!members.empty()) params += ',';
  params += members;
  exchange_.notify(method, params + "}");
}

void Subscription::list_changed(const mcp::ChangingList& list, bool several) {
  if (!(filter_.lists & list.kinds)) return;
  if (registry::view_of(principal_) && !note_list(list.kind) && !several) return;
  notify(list.method, {});
}

// Whether what its client sees of it is another list than before.
bool Subscription::note_list(Kind kind) {
  const std::size_t now = loop_.fingerprint(kind, principal_);
  return std::exchange(lists_[static_cast<unsigned>(kind)], now) != now;
}

void Subscription::resource_updated(std::string_view key) {
  const auto watched = filter_.uris.find(key);
  if (watched == filter_.uris.end() || !loop_.sees(principal_, watched->second.asked)) return;
  std::string member = R"("uri":)";
  text::append_json_string(member, watched->second.asked);
  notify("notifications/resources/updated", member);
}

void Subscription::look() {
  for (WatchedTask& watched : tasks_) {
    const TaskPtr& task = watched.watch->task();
    const std::uint64_t revision = task->revision();
    if (revision == watched.told) continue;
    watched.told = revision;
    notify("notifications/tasks", task->describe());
  }
}

void Subscription::cancel() {
  exchange_.disown();
  http_.abandon();
  loop_.let_go(serial_);
}

void Subscription::on_gone() {
  http_.forget();
  exchange_.disown();
  loop_.let_go(serial_);
}

}  // namespace collet::protocol
