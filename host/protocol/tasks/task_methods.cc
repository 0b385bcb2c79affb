#include "protocol/tasks/task_methods.h"

#include <map>

#include "protocol/error.h"
#include "protocol/server.h"
#include "protocol/server_loop.h"
#include "protocol/tasks/task_offer.h"
#include "registry/answers.h"

namespace collet::protocol {
namespace {

// The task that the request is about; if there is none the request has been answered.
TaskPtr find_task(ServerLoop& loop, Request& request) {
  if (!can_do_tasks(request.context)) {
    request.exchange.error(missing_extension(kTasksExtension));
    return nullptr;
  }
  const auto id = request.message.param_text("taskId");
  TaskPtr task = id ? loop.server().tasks().find(*id, task_owner(request.context), monotonic_ms()) : nullptr;
  if (!task) request.invalid_params("taskId names no task of yours");
  return task;
}

}  // namespace

void get_task(ServerLoop& loop, RequestPtr request) {
  if (const TaskPtr task = find_task(loop, *request)) {
    request->exchange.result({"{", task->describe(), ",", loop.server().stamp(), "}"});
  }
}

void update_task(ServerLoop& loop, RequestPtr request) {
  const TaskPtr task = find_task(loop, *request);
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
    if (task->take_answer(key)) loop.server().respond(task->place(), key, std::move(answer));
  }
  request->exchange.result({"{", loop.server().stamp(), "}"});
}

void cancel_task(ServerLoop& loop, RequestPtr request) {
  const TaskPtr task = find_task(loop, *request);
  if (!task) return;
  if (!task->over()) {
    task->cancel();
    loop.server().cancel(task->place());
  }
  request->exchange.result({"{", loop.server().stamp(), "}"});
}

}  // namespace collet::protocol
