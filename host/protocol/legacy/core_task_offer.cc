#include "protocol/legacy/core_task_offer.h"

#include <algorithm>

namespace collet::protocol {

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

}  // namespace collet::protocol
