// When a tool's call becomes a task, and whose it is; in the dialect of the modern era (SEP-2663).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/context.h"
#include "registry/item.h"
#include "rpc/error.h"

namespace collet::protocol {

// Whether a call of such a tool becomes a task, and how long that is kept; or why it is refused.
struct TaskOffer {
  std::optional<std::uint64_t> ttl_ms = {};
  std::optional<rpc::Error> bad = {};
};

// Whether the client has declared the extension.
bool can_do_tasks(const Context& context);
TaskOffer offer_task(const registry::Traits& traits, const Context& context, std::uint32_t round,
                     std::uint64_t ttl_ms);
// Whose the tasks of such a request are, in either dialect: the principal's, or without one the session's.
std::string task_owner(const Context& context);

}  // namespace collet::protocol
