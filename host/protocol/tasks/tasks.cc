// tasks/get, tasks/update and tasks/cancel.
#include "protocol/error.h"
#include "protocol/server.h"
#include "registry/answers.h"

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

bool can_do_tasks(const Context& context) {
  if (context.era != Era::modern) return false;
  const json::Value* extensions = json::find(*context.capabilities, "extensions");
  return extensions && json::find(*extensions, kTasksExtension);
}

std::string task_owner(const Context& context) {
  const std::string& principal = registry::id_of(context.principal);
  if (!principal.empty() || !context.session) return "principal:" + principal;
  return "session:" + context.session->id();
}

// The server decides, for a client that knows tasks.
TaskOffer offer_task(const registry::Traits& traits, const Context& context, std::uint32_t round,
                     std::uint64_t ttl_ms) {
  if (!traits.task_optional && !traits.task_required) return {};
  if (!can_do_tasks(context)) {
    if (traits.task_required) return {.bad = missing_extension(kTasksExtension)};
    return {};
  }
  if (traits.task_after_input && round == 0) return {};
  return {.ttl_ms = ttl_ms};
}

bool ServerLoop::awaits_tasks(RequestPtr& request, Handler handler) {
  TaskRecords* const records = server_.task_records();
  const Context& context = request->context;
  const bool knows_tasks = context.era == Era::modern ? can_do_tasks(context) : has_core_tasks(context);
  if (!records || !knows_tasks || context.transport == Transport::stdio) return false;
  const std::string owner = task_owner(context);
  const auto lacks = [this, owner](const std::string& id) { return !server_.tasks().find(id, owner, monotonic_ms()); };
  std::vector<std::string> ids = named_tasks(request->message);
  std::erase_if(ids, [&](const std::string& id) { return !lacks(id); });
  const bool all = request->message.method == "tasks/list";
  if (ids.empty() && !all) return false;
  const auto serial = waiting_.add(std::move(request));
  if (!serial) return true;
  TaskRecords::Found found = [this, serial = *serial, handler](Result<std::vector<Task::Record>> tasks) {
    loop_.post([this, serial, handler, tasks = std::move(tasks)]() mutable { take_tasks(serial, handler, std::move(tasks)); });
  };
  if (all) {
    records->find_all(owner, lacks, std::move(found));
  } else {
    records->find(owner, std::move(ids), std::move(found));
  }
  return true;
}

void ServerLoop::take_tasks(WaitingRequests::Serial serial, Handler handler, Result<std::vector<Task::Record>> tasks) {
  RequestPtr waited = waiting_.take(serial);
  if (!waited) return;
  if (!tasks) {
    return waited->exchange.error(
        rpc::internal_error(fmt::format("It cannot be found out now which tasks there are: {}", tasks.message())));
  }
  for (Task::Record& task : *tasks) server_.tasks().restore(std::move(task), monotonic_ms());
  (this->*handler)(std::move(waited));
}

TaskPtr ServerLoop::find_task(Request& request) {
  if (!can_do_tasks(request.context)) {
    request.exchange.error(missing_extension(kTasksExtension));
    return nullptr;
  }
  const auto id = request.message.param_text("taskId");
  TaskPtr task = id ? server_.tasks().find(*id, task_owner(request.context), monotonic_ms()) : nullptr;
  if (!task) request.invalid_params("taskId names no task of yours");
  return task;
}

void ServerLoop::get_task(RequestPtr request) {
  if (const TaskPtr task = find_task(*request)) {
    request->exchange.result({"{", task->describe(), ",", server_.stamp(), "}"});
  }
}

void ServerLoop::update_task(RequestPtr request) {
  const TaskPtr task = find_task(*request);
  if (!task) return;
  const json::Value* responses = request->message.param("inputResponses");
  if (!responses || !responses->IsObject()) return request->invalid_params("inputResponses must be an object");
  std::map<std::string, std::string> answers;
  const auto questions = task->questions();
  for (const auto& response : responses->GetObject()) {
    const auto question = questions.find(std::string(json::view(response.name)));
    if (question == questions.end()) continue;  // what is not open is ignored
    auto answer = registry::read_answer(question->second, json::to_text(response.value));
    if (!answer) return request->invalid_params("inputResponses: {}: {}", question->first, answer.message());
    answers.emplace(question->first, std::move(*answer));
  }
  for (auto& [key, answer] : answers) {
    if (task->take_answer(key)) server_.respond(task->place(), key, std::move(answer));
  }
  request->exchange.result({"{", server_.stamp(), "}"});
}

void ServerLoop::cancel_task(RequestPtr request) {
  const TaskPtr task = find_task(*request);
  if (!task) return;
  if (!task->over()) {
    task->cancel();
    server_.cancel(task->place());
  }
  request->exchange.result({"{", server_.stamp(), "}"});
}

}  // namespace collet::protocol
