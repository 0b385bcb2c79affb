#include "protocol/tasks/task_offer.h"

#include "protocol/error.h"
#include "protocol/tasks/task.h"

namespace collet::protocol {

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

}  // namespace collet::protocol
