#include "protocol/tasks/loop_tasks.h"

#include "protocol/legacy/core_task_offer.h"
#include "protocol/server.h"
#include "protocol/tasks/task_offer.h"

namespace collet::protocol {
namespace {

// tasks/… names one, subscriptions/listen several.
std::vector<std::string> named_tasks(const rpc::Message& message) {
  std::vector<std::string> ids;
  if (const auto id = message.param_text("taskId")) ids.emplace_back(*id);
  const json::Value* wishes = message.param("notifications");
  const json::Value* listed = wishes && wishes->IsObject() ? json::find(*wishes, "taskIds") : nullptr;
  if (!listed || !listed->IsArray() || listed->Size() > limits::kSubscriptionUrisMax) return ids;
  for (const json::Value& id : listed->GetArray()) {
    if (id.IsString()) ids.emplace_back(json::view(id));
  }
  return ids;
}

}  // namespace

bool LoopTasks::fetch_for(RequestPtr& request, Callback<void(RequestPtr)> then) {
  TaskRecords* const records = server_.task_records();
  const Context& context = request->context;
  const bool knows_tasks = context.era == Era::modern ? can_do_tasks(context) : has_core_tasks(context);
  if (!records || !knows_tasks || context.transport == Transport::stdio) return false;
  const std::string owner = task_owner(context);
  const auto lacks = [&server = server_, owner](const std::string& id) {
    return !server.tasks().find(id, owner, monotonic_ms());
  };
  std::vector<std::string> ids = named_tasks(request->message);
  std::erase_if(ids, [&](const std::string& id) { return !lacks(id); });
  const bool all = request->message.method == "tasks/list";
  if (ids.empty() && !all) return false;
  const auto serial = waiting_.add(std::move(request));
  if (!serial) return true;
  TaskRecords::Found found = [this, serial = *serial, then = std::move(then)](Result<std::vector<Task::Record>> tasks) mutable {
    loop_.post([this, serial, tasks = std::move(tasks), then = std::move(then)]() mutable {
      go_on(serial, std::move(tasks), then);
    });
  };
  if (all) {
    records->find_all(owner, lacks, std::move(found));
  } else {
    records->find(owner, std::move(ids), std::move(found));
  }
  return true;
}

void LoopTasks::go_on(WaitingRequests::Serial serial, Result<std::vector<Task::Record>> tasks, Callback<void(RequestPtr)>& then) {
  RequestPtr waited = waiting_.take(serial);
  if (!waited) return;
  if (!tasks) {
    return waited->exchange.error(
        rpc::internal_error(fmt::format("It cannot be found out now which tasks there are: {}", tasks.message())));
  }
  for (Task::Record& task : *tasks) server_.tasks().restore(std::move(task), monotonic_ms());
  then(std::move(waited));
}

}  // namespace collet::protocol
