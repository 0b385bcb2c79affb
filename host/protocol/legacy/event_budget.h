// How much of the events of legacy sessions is kept in memory.
#pragma once

#include <atomic>
#include <cstddef>

#include "base/limits.h"

namespace collet::protocol {

// How many bytes the logs of several sessions keep: of all, or of one principal's, which count for all as well. Any
// thread.
class EventBudget {
 public:
  // `all` outlives this one.
  explicit EventBudget(std::size_t bytes_max = limits::kEventBytesMax, EventBudget* all = nullptr)
      : bytes_max_(bytes_max), all_(all) {}
  // False if that would be too much.
  bool take(std::size_t bytes);
  void give_back(std::size_t bytes);
  std::size_t used() const { return used_; }

 private:
  const std::size_t bytes_max_;
  EventBudget* const all_;
  std::atomic<std::size_t> used_ = 0;
};

}  // namespace collet::protocol
