// How long plugin code may have a loop to itself.
//
// A call that overruns its budget by the clock may only have been preempted, on a busy machine. So the first
// overrun has an item watched: of its next calls the thread's own use is read too, and only what the item computed
// or waited for itself counts.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/limits.h"

namespace collet::plugin {

// A moment on a loop thread.
struct LoopTime {
  std::chrono::steady_clock::time_point wall;
  bool watched = false;              // whether the two below were read
  std::chrono::microseconds cpu{0};  // used by this thread
  long waits = 0;                    // how often it gave up its processor to wait for something

  static LoopTime now(bool watched);
};

// Whether what ran between two moments overran the budget, as far as can be told.
bool overran(const LoopTime& before, const LoopTime& after);

// Of one item. Shared by loops, which read it before each call.
class InlineGuard {
 public:
  // Before any call.
  void allow() { allowed_ = true; }
  bool allowed() const { return allowed_.load(std::memory_order_relaxed); }
  // Before a call: whether it is one to watch.
  bool take_watch() {
    const unsigned left = watched_.load(std::memory_order_relaxed);
    if (left > 0) watched_.store(left - 1, std::memory_order_relaxed);
    return left > 0;
  }
  // After a call that overran. One thread at a time. True if it was once too often: no call is allowed any more.
  bool note_overrun();

 private:
  std::atomic<bool> allowed_{false};
  std::atomic<unsigned> watched_{0};  // calls to watch yet
  unsigned overruns_ = 0;
};

}  // namespace collet::plugin
