// What a generation's plugin does on loops besides calls: descriptors it watches, timers, tasks (collet.loop/1).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plugin/run/call_table.h"
#include "plugin/run/thread.h"

namespace collet::plugin {

class LoopWork {
 public:
  // The table's loops. It is borrowed, and outlives this.
  LoopWork(CallTable& calls, std::string plugin);
  ~LoopWork();  // after close(), or if nothing was ever asked of it
  LoopWork(const LoopWork&) = delete;
  LoopWork& operator=(const LoopWork&) = delete;

  // As the functions of collet_loop, with their errors.
  std::int32_t count() const { return static_cast<std::int32_t>(lanes_.size()); }
  std::int32_t current() const;
  std::int32_t post(unsigned loop, Callback<void()> task);
  std::int32_t watch(int descriptor, unsigned events, Callback<void(unsigned)> ready, std::uint64_t& out);
  std::int32_t rewatch(std::uint64_t watch, unsigned events);
  std::int32_t start_timer(std::uint64_t after_ms, Callback<void()> task, std::uint64_t& out);
  std::int32_t unwait(std::uint64_t wait);

  // [any but a loop] Takes everything away, and waits for callbacks that run. False if one has not returned by
  // then.
  bool close(Clock::time_point deadline);
  // [any] The loops have ended: nothing is waited for that only they can do.
  void abandon();

 private:
  struct Lane;

  Lane* current_lane() const;

  const std::vector<std::shared_ptr<Lane>> lanes_;  // shared with tasks that the loops have not run yet
};

}  // namespace collet::plugin
