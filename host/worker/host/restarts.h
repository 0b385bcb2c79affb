// When a worker process that has ended is started again: after a time that doubles with each failure, until there have been too many.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/limits.h"

namespace collet::worker {

class Restarts {
 public:
  struct Rules {
    std::uint64_t backoff_ms = limits::kWorkerBackoffMs;
    std::uint64_t backoff_ms_max = limits::kWorkerBackoffMsMax;
    unsigned failures_max = limits::kWorkerFailuresMax;
  };
  explicit Restarts(Rules rules) : rules_(rules) {}

  // A process has ended that ran for so long. How long to wait before the next one; nothing: there have been too many, there is none.
  std::optional<std::chrono::milliseconds> after(std::chrono::steady_clock::duration lived) {
    if (lived >= std::chrono::milliseconds(limits::kWorkerFailureWindowMs)) failures_ = 0;
    if (++failures_ >= rules_.failures_max) return std::nullopt;
    if (failures_ == 1) return std::chrono::milliseconds(0);
    const std::uint64_t doubled = rules_.backoff_ms << std::min(failures_ - 1, 20u);
    return std::chrono::milliseconds(std::min(doubled / 2, rules_.backoff_ms_max));
  }
  // In a row.
  unsigned failures() const { return failures_; }

 private:
  const Rules rules_;
  unsigned failures_ = 0;
};

}  // namespace collet::worker
