#include "client/net/loop.h"

#include <cstdlib>
#include <utility>

namespace collet::client {

Loop::Loop() {
  if (uv_loop_init(&uv_) != 0) std::abort();  // want of file descriptors or memory, before anything has begun
  wake_.data = this;
  if (uv_async_init(&uv_, &wake_, [](uv_async_t* wake) { static_cast<Loop*>(wake->data)->drain(); }) != 0)
    std::abort();
}

Loop::~Loop() {
  uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
  uv_run(&uv_, UV_RUN_DEFAULT);  // lets closed handles go
  if (uv_loop_close(&uv_) != 0) std::abort();
}

void Loop::run() {
  while (!stopping_) uv_run(&uv_, UV_RUN_ONCE);
  stopping_ = false;
}

void Loop::post(Task task) {
  bool first;
  {
    const std::lock_guard lock(mutex_);
    first = tasks_.empty();
    tasks_.push_back(std::move(task));
  }
  if (first) uv_async_send(&wake_);
}

void Loop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_asked_ = true;
  }
  uv_async_send(&wake_);
}

void Loop::drain() {
  {
    const std::lock_guard lock(mutex_);
    running_.swap(tasks_);
    stopping_ = std::exchange(stop_asked_, false);
  }
  for (Task& task : running_) task();
  running_.clear();
}

struct Timer::State {
  uv_timer_t handle;
  Task callback;
};

Timer::Timer(Loop& loop) : state_(new State) {
  uv_timer_init(loop.uv(), &state_->handle);
  state_->handle.data = state_;
}

Timer::~Timer() {
  stop();
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

void Timer::start(std::uint64_t after_ms, Task callback) {
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

void Timer::stop() {
  state_->callback = nullptr;
  uv_timer_stop(&state_->handle);
}

bool Timer::active() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(&state_->handle)) != 0; }

}  // namespace collet::client
