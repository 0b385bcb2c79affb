// The event logs of sessions in the memory of this process.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/limits.h"
#include "protocol/legacy/event_budget.h"
#include "protocol/legacy/event_logs.h"

namespace collet::protocol {

// Together they keep so many bytes, and those of one principal who is known a share of that. Any thread.
class MemoryEventLogs final : public EventLogs {
 public:
  explicit MemoryEventLogs(std::size_t bytes_max = limits::kEventBytesMax) : bytes_max_(bytes_max), budget_(bytes_max) {}

  EventLogPtr open(const Name& name) override;

 private:
  EventBudget& budget_of(std::string_view owner);

  const std::size_t bytes_max_;
  EventBudget budget_;  // of all
  std::mutex mutex_;    // guards the map below, of budgets that stay where they are; taken under a session's lock
  std::map<std::string, EventBudget, std::less<>> budgets_;  // of each principal who is known: they have their tokens
};

}  // namespace collet::protocol
