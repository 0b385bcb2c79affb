// The time of a libuv loop, which stands still but for pass(): the loop itself must not run meanwhile.
#pragma once

#include <uv.h>

#include <cstdint>
#include <utility>

class ManualTime {
 public:
  template <class Loop>
  explicit ManualTime(Loop& loop) : uv_(loop.uv()) {}

  // Runs the timers that are due by then, each at its time, and those that they start.
  void pass(std::uint64_t ms) {
    const std::uint64_t until = uv_now(uv_) + ms;
    while (uv_timer_t* const timer = first()) {
      const std::uint64_t due = uv_now(uv_) + uv_timer_get_due_in(timer);
      if (due > until) break;
      uv_->time = due;
      uv_timer_stop(timer);
      timer->timer_cb(timer);
    }
    uv_->time = until;
  }

 private:
  // The one that is due next; of several the one that was started first.
  uv_timer_t* first() {
    uv_timer_t* found = nullptr;
    const auto look = [](uv_handle_t* handle, void* out) {
      if (handle->type != UV_TIMER || !uv_is_active(handle)) return;
      auto* const timer = reinterpret_cast<uv_timer_t*>(handle);
      auto& best = *static_cast<uv_timer_t**>(out);
      const auto rank = [](uv_timer_t* each) { return std::pair(uv_timer_get_due_in(each), each->start_id); };
      if (!best || rank(timer) < rank(best)) best = timer;
    };
    uv_walk(uv_, look, &found);
    return found;
  }

  uv_loop_t* const uv_;
};
