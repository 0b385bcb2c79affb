// tasks/get, tasks/result, tasks/list and tasks/cancel of 2025-11-25 (basic/utilities/tasks).
#include <algorithm>
#include <charconv>

#include "collet/kit/base64.hpp"
#include "protocol/server.h"

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

}  // namespace

bool has_core_tasks(const Context& context) {
  return context.session && context.session->client().version == kCoreTasksVersion;
}

// The client asks for a task, where the tool can be one; a tool may insist (Tool-Level Negotiation).
TaskOffer offer_core_task(const registry::Traits& traits, const Context& context, const rpc::Message& message,
                          std::uint64_t ttl_ms_max) {
  if (!has_core_tasks(context)) return {};
  const json::Value* wish = message.param("task");
  const auto refusal = [](const char* why) { return rpc::Error{mcp::kMethodNotFound, why}; };
  if (!wish && traits.task_required) return {.bad = refusal("This tool runs as a task only: add params.task")};
  if (!wish) return {};
  if (!traits.task_required && !traits.task_optional) return {.bad = refusal("This tool does not run as a task")};
  if (!wish->IsObject()) return {.bad = rpc::invalid_params("task must be an object")};
  const json::Value* ttl = json::find(*wish, "ttl");
  if (ttl && !(ttl->IsNumber() && ttl->GetDouble() >= 0)) {
    return {.bad = rpc::invalid_params("task.ttl must be a number of milliseconds")};
  }
  if (!ttl) return {.ttl_ms = ttl_ms_max};
  return {.ttl_ms = static_cast<std::uint64_t>(std::min(ttl->GetDouble(), static_cast<double>(ttl_ms_max)))};
}

std::function<void()> ServerLoop::announcer(const TaskPtr& task, const SessionPtr& session) {
  return [this, weak = std::weak_ptr<Task>(task), session] {
    loop_.post([this, weak, session] {
      const TaskPtr changed = weak.lock();
      if (!changed) return;
      tell_session(*session, R"({"jsonrpc":"2.0","method":"notifications/tasks/status","params":{)" +
                                 changed->describe() + "}}");
    });
  };
}

TaskPtr ServerLoop::find_core_task(Request& request) {
  if (!has_core_tasks(request.context)) {
    request.exchange.error(rpc::method_not_found(request.message.method));
    return nullptr;
  }
  const auto id = request.message.param_text("taskId");
  TaskPtr task = id ? server_.tasks().find(*id, task_owner(request.context), monotonic_ms()) : nullptr;
  if (!task) request.invalid_params("taskId names no task of yours, or one that has expired");
  return task;
}

void ServerLoop::get_core_task(RequestPtr request) {
  if (const TaskPtr task = find_core_task(*request)) request->exchange.result({"{", task->describe(), "}"});
}

void ServerLoop::await_core_task(RequestPtr request) {
  TaskPtr task = find_core_task(*request);
  if (!task) return;
  if (task->over()) return answer_with_outcome(*request, *task);
  const std::uint64_t serial = next_serial();
  if (rpc::InFlight* in_flight = in_flight_of(*request)) {
    const auto added = in_flight->add(request->exchange.id(), {index_, serial});
    if (const auto bad = rpc::in_flight_error(added)) return request->exchange.error(*bad);
  }
  auto waiter = std::make_unique<TaskWaiter>(*this, serial, std::move(request), std::move(task));
  hold_open(serial, std::move(waiter)).look();
}

void ServerLoop::list_core_tasks(RequestPtr request) {
  if (!has_core_tasks(request->context)) {
    return request->exchange.error(rpc::method_not_found(request->message.method));
  }
  std::uint64_t behind = 0;
  if (const json::Value* cursor =
          request->message.param("cursor")) {
    const auto number = cursor->IsString() ? read_cursor(json::view(*cursor)) : std::nullopt;
    if (!number) return request->invalid_params("unknown cursor");
    behind = *number;
  }
  const std::size_t page = server_.options().page_items;
  auto tasks = server_.tasks().list(task_owner(request->context), behind, page + 1, monotonic_ms());
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

void ServerLoop::cancel_core_task(RequestPtr request) {
  const TaskPtr task = find_core_task(*request);
  if (!task) return;
  if (task->over()) return request->invalid_params("the task cannot be cancelled, it is {}", task->status());
  task->cancel();
  server_.cancel(task->place());
  request->exchange.result({"{", task->describe(), "}"});
}

}  // namespace collet::protocol
