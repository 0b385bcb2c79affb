// A libuv loop on one thread, with a way in for the others. For plugins that link libuv, with a thread of their own: <uv.h> is included
// by this header alone. collet::Loops is another thing: the host's loops.
//
// Ownership: a Loop outlives its timers and whatever else its owner has put on it. Threads: that which runs the loop, unless a function
// says [any]. Errors: a loop that cannot be made, for want of descriptors or memory, stops the process.
#ifndef COLLET_KIT_LOOP_HPP
#define COLLET_KIT_LOOP_HPP

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include <uv.h>

namespace collet::kit {

// Closes `handle`, a member of `owner` or `owner` itself, and deletes `owner` when libuv lets go of it, in a later turn of the loop.
template <class Owner, class Handle>
void close_and_delete(Owner* owner, Handle& handle) {
  handle.data = owner;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle),
           [](uv_handle_t* closed) { delete static_cast<Owner*>(closed->data); });
}

using Task = std::function<void()>;

class Loop {
 public:
  Loop() {
    if (uv_loop_init(&uv_) != 0) std::abort();
    wake_.data = this;
    if (uv_async_init(&uv_, &wake_, [](uv_async_t* wake) { static_cast<Loop*>(wake->data)->drain(); }) != 0)
      std::abort();
  }
  // On the thread that ran it, or before anyone did. Every timer, socket and child has been destroyed, or is owned by a
  // task that was never run.
  ~Loop() {
    std::vector<Task> unrun;
    {
      const std::lock_guard lock(mutex_);
      unrun.swap(tasks_);
    }
    unrun.clear();  // may own handles of this loop
    uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
    uv_run(&uv_, UV_RUN_DEFAULT);  // lets closed handles go
    if (uv_loop_close(&uv_) != 0) std::abort();
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Until stop(). What has been posted is run before it returns.
  void run() {
    uv_update_time(&uv_);
    while (!stopping_) uv_run(&uv_, UV_RUN_ONCE);
    stopping_ = false;
  }
  // [any] Runs `task` on the loop, in order. After run() has returned it waits for the next run(), or is
  // destroyed with the loop.
  void post(Task task) {
    bool first;
    {
      const std::lock_guard lock(mutex_);
      first = tasks_.empty();
      tasks_.push_back(std::move(task));
    }
    if (first) uv_async_send(&wake_);
  }
  // [any]
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stop_asked_ = true;
    }
    uv_async_send(&wake_);
  }

  // Milliseconds of a monotonic clock, as of this turn of the loop.
  std::uint64_t now_ms() const { return uv_now(&uv_); }
  uv_loop_t* uv() { return &uv_; }

 private:
  void drain() {
    {
      const std::lock_guard lock(mutex_);
      running_.swap(tasks_);
      stopping_ = std::exchange(stop_asked_, false);
    }
    for (Task& task : running_) task();
    running_.clear();
  }

  uv_loop_t uv_;
  uv_async_t wake_;
  std::vector<Task> running_;  // loop thread
  bool stopping_ = false;      // loop thread

  std::mutex mutex_;  // guards all below
  std::vector<Task> tasks_;
  bool stop_asked_ = false;
};

// Calls back once, unless stopped, restarted or destroyed before; the callback may do all of that.
class Timer {
 public:
  explicit Timer(Loop& loop) : state_(new State) {
    uv_timer_init(loop.uv(), &state_->handle);
    state_->handle.data = state_;
  }
  ~Timer() {
    stop();
    close_and_delete(state_, state_->handle);
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start(std::uint64_t after_ms, Task callback) {
    state_->callback = std::move(callback);
    uv_timer_start(
        &state_->handle,
        [](uv_timer_t* timer) {
          // It runs from the stack, as it may destroy its timer.
          const Task running = std::exchange(static_cast<State*>(timer->data)->callback, nullptr);
          running();
        },
        after_ms, 0);
  }
  void stop() {
    state_->callback = nullptr;
    uv_timer_stop(&state_->handle);
  }
  bool active() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(&state_->handle)) != 0; }

 private:
  struct State {
    uv_timer_t handle;
    Task callback;
  };
  State* state_;  // outlives this until libuv lets go of it
};

}  // namespace collet::kit

#endif
