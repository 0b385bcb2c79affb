// When a tool's call becomes a task in the dialect of 2025-11-25 (basic/utilities/tasks).
#pragma once

#include <cstdint>

#include "protocol/tasks/task_offer.h"
#include "rpc/message.h"

namespace collet::protocol {

// Whether it is a session of 2025-11-25, the one version with tasks in its core.
bool has_core_tasks(const Context& context);
TaskOffer offer_core_task(const registry::Traits& traits, const Context& context, const rpc::Message& message,
                          std::uint64_t ttl_ms_max);

}  // namespace collet::protocol
