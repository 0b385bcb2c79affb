#include "protocol/lists/subscription.h"

#include "base/json_members.h"
#include "base/text.h"
#include "protocol/server.h"
#include "protocol/server_loop.h"

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

}  // namespace

Subscription::Subscription(ServerLoop& loop, std::uint64_t serial, Request& request, NotificationFilter filter)
    : loop_(loop),
      serial_(serial),
      principal_(request.context.principal),
      filter_(std::move(filter)),
      in_flight_(loop.clients().in_flight_of(request)),
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
  const std::size_t now = loop_.catalog().fingerprint(kind, principal_);
  return std::exchange(lists_[static_cast<unsigned>(kind)], now) != now;
}

void Subscription::resource_updated(std::string_view key) {
  const auto watched = filter_.uris.find(key);
  if (watched == filter_.uris.end() || !loop_.catalog().sees(principal_, watched->second.asked)) return;
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
  loop_.held_open().let_go(serial_);
}

void Subscription::on_gone() {
  http_.forget();
  exchange_.disown();
  loop_.held_open().let_go(serial_);
}

}  // namespace collet::protocol
