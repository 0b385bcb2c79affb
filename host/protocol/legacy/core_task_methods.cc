#include "protocol/legacy/core_task_methods.h"

#include <charconv>

#include "collet/kit/base64.hpp"
#include "protocol/legacy/core_task_offer.h"
#include "protocol/server.h"
#include "protocol/server_loop.h"
#include "protocol/tasks/task_waiter.h"

namespace collet::protocol {
namespace {

constexpr std::string_view kTaskCursorMark = "behind:";

std::optional<std::uint64_t> read_cursor(std::string_view cursor) {
  const auto decoded = kit::from_base64(cursor);
  if (!decoded || !decoded->starts_with(kTaskCursorMark)) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = decoded->data() + decoded->size();
  const auto [stop, bad] = std::from_chars(decoded->data() + kTaskCursorMark.size(), end, number);
  if (bad != std::errc() || stop != end) return std::nullopt;
  return number;
}

// The task that the request is about; if there is none the request has been answered.
TaskPtr find_core_task(ServerLoop& loop, Request& request) {
  if (!has_core_tasks(request.context)) {
    request.exchange.error(rpc::method_not_found(request.message.method));
    return nullptr;
  }
  const auto id = request.message.param_text("taskId");
  TaskPtr task = id ? loop.server().tasks().find(*id, task_owner(request.context), monotonic_ms()) : nullptr;
  if (!task) request.invalid_params("taskId names no task of yours, or one that has expired");
  return task;
}

}  // namespace

void get_core_task(ServerLoop& loop, RequestPtr request) {
  if (const TaskPtr task = find_core_task(loop, *request)) request->exchange.result({"{", task->describe(), "}"});
}

void await_core_task(ServerLoop& loop, RequestPtr request) {
  TaskPtr task = find_core_task(loop, *request);
  if (!task) return;
  if (task->over()) return answer_with_outcome(*request, *task);
  const std::uint64_t serial = loop.next_serial();
  if (rpc::InFlight* in_flight = loop.clients().in_flight_of(*request)) {
    const auto added = in_flight->add(request->exchange.id(), {loop.index(), serial});
    if (const auto bad = rpc::in_flight_error(added)) return request->exchange.error(*bad);
  }
  auto waiter = std::make_unique<TaskWaiter>(loop, serial, std::move(request), std::move(task));
  loop.held_open().hold(serial, std::move(waiter)).look();
}

void list_core_tasks(ServerLoop& loop, RequestPtr request) {
  if (!has_core_tasks(request->context)) {
    return request->exchange.error(rpc::method_not_found(request->message.method));
  }
  std::uint64_t behind = 0;
  if (const json::Value* cursor = request->message.param("cursor")) {
    const auto number = cursor->IsString() ? read_cursor(json::view(*cursor)) : std::nullopt;
    if (!number) return request->invalid_params("unknown cursor");
    behind = *number;
  }
  const std::size_t page = loop.server().options().page_items;
  auto tasks = loop.server().tasks().list(task_owner(request->context), behind, page + 1, monotonic_ms());
  const bool more = tasks.size() > page;
  if (more) tasks.pop_back();
  std::string text;
  for (const TaskPtr& task : tasks) {
    if (!text.empty()) text += ',';
    text += '{' + task->describe() + '}';
  }
  std::string cursor;
  if (more) kit::append_base64(cursor, fmt::format("{}{}", kTaskCursorMark, tasks.back()->number()));
  request->exchange.result(
      {R"({"tasks":[)", text, "]", more ? R"(,"nextCursor":")" : "", cursor, more ? "\"" : "", "}"});
}

void cancel_core_task(ServerLoop& loop, RequestPtr request) {
  const TaskPtr task = find_core_task(loop, *request);
  if (!task) return;
  if (task->over()) return request->invalid_params("the task cannot be cancelled, it is {}", task->status());
  task->cancel();
  loop.server().cancel(task->place());
  request->exchange.result({"{", task->describe(), "}"});
}

}  // namespace collet::protocol
