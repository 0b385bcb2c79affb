#include "protocol/legacy/memory_event_logs.h"

#include "protocol/legacy/memory_event_log.h"
#include "protocol/shares.h"

namespace collet::protocol {

EventLogPtr MemoryEventLogs::open(const Name& name) {
  return std::make_shared<MemoryEventLog>(name.number, budget_of(name.owner));
}

// Who is known has no more than a share.
EventBudget& MemoryEventLogs::budget_of(std::string_view owner) {
  if (owner.empty()) return budget_;
  const std::lock_guard lock(mutex_);
  if (const auto found = budgets_.find(owner); found != budgets_.end()) return found->second;
  return budgets_.try_emplace(std::string(owner), share_of(bytes_max_), &budget_).first->second;
}

}  // namespace collet::protocol
