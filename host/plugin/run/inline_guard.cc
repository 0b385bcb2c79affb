#include "plugin/run/inline_guard.h"

#include <sys/resource.h>

#include <ctime>

namespace collet::plugin {

LoopTime LoopTime::now(bool watched) {
  LoopTime time;
  time.wall = std::chrono::steady_clock::now();
  rusage usage;
  timespec cpu;
  // Not the processor time of getrusage(): that may be a scheduler's tick old.
  if (!watched || getrusage(RUSAGE_THREAD, &usage) != 0 || clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) != 0) {
    return time;
  }
  time.watched = true;
  time.cpu = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::seconds(cpu.tv_sec) +
                                                                   std::chrono::nanoseconds(cpu.tv_nsec));
  time.waits = usage.ru_nvcsw;
  return time;
}

bool overran(const LoopTime& before, const LoopTime& after) {
  constexpr std::chrono::microseconds kBudget(limits::kInlineBudgetUs);
  if (after.wall - before.wall <= kBudget) return false;
  if (!before.watched || !after.watched) return true;
  return after.cpu - before.cpu > kBudget || after.waits > before.waits;
}

bool InlineGuard::note_overrun() {
  if (watched_.exchange(limits::kInlineWatchedCalls) == 0) overruns_ = 0;  // the last one is long ago
  if (++overruns_ < limits::kInlineOverrunsMax) return false;
  return allowed_.exchange(false);
}

}  // namespace collet::plugin
