#include "loop/loop.h"

#include <uv.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/assert.h"
#include "collet/kit/loop.hpp"
#include "loop/freed_memory_watch.h"

namespace collet::loop {
namespace {

thread_local Loop* running_here = nullptr;

}  // namespace

Loop* Loop::current() { return running_here; }

Loop::Loop() : uv_(std::make_unique<uv_loop_s>()), wake_(new uv_async_t), before_wait_(new uv_prepare_t) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that has gone is an error code; libuv leaves the signal to us
  COLLET_ASSERT(uv_loop_init(uv_.get()) == 0);
  COLLET_ASSERT(
      uv_async_init(uv_.get(), wake_, [](uv_async_t* async) { static_cast<Loop*>(async->data)->drain(); }) == 0);
  wake_->data = this;
  uv_prepare_init(uv_.get(), before_wait_);
  before_wait_->data = this;
  uv_prepare_start(before_wait_, [](uv_prepare_t* prepare) { static_cast<Loop*>(prepare->data)->end_turn(); });
  freed_memory_ = std::make_unique<FreedMemoryWatch>(*this);
}

Loop::~Loop() {
  std::vector<Task> unrun;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    unrun.swap(tasks_);
  }
  unrun.clear();  // may own handles of this loop
  kit::close_and_delete(wake_, *wake_);
  kit::close_and_delete(before_wait_, *before_wait_);
  freed_memory_.reset();
  while (uv_run(uv_.get(), UV_RUN_DEFAULT) != 0) {
  }
  COLLET_ASSERT(uv_loop_close(uv_.get()) == 0);
}

void Loop::run() {
  thread_ = std::this_thread::get_id();
  running_here = this;
  stopping_ = false;
  uv_update_time(uv_.get());
  drain();
  while (!stopping_) uv_run(uv_.get(), UV_RUN_ONCE);
  end_turn();
  {
    const std::lock_guard lock(mutex_);
    stop_asked_ = false;  // whoever asked while this run ended meant this run
  }
  thread_ = {};
  running_here = nullptr;
}

void Loop::stop() {
  const std::lock_guard lock(mutex_);
  stop_asked_ = true;
  if (!closed_) uv_async_send(wake_);
}

void Loop::post(Task task) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;  // `task` is destroyed after the lock is released: it is a parameter
  tasks_.push_back(std::move(task));
  if (tasks_.size() == 1) uv_async_send(wake_);
}

void Loop::at_turn_end(const std::shared_ptr<TurnEnd>& work) {
  if (std::find(at_turn_end_.begin(), at_turn_end_.end(), work) == at_turn_end_.end()) at_turn_end_.push_back(work);
}

void Loop::end_turn() {
  while (!at_turn_end_.empty()) {
    const std::vector<std::shared_ptr<TurnEnd>> due = std::exchange(at_turn_end_, {});
    for (const auto& work : due) work->at_turn_end();
  }
  freed_memory_->look();
}

std::uint64_t Loop::now_ms() const { return uv_now(uv_.get()); }

void Loop::drain() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
    stopping_ = std::exchange(stop_asked_, false);
  }
  for (Task& task : tasks) task();
}

struct Timer::State {
  uv_timer_t handle;
  Callback<void()> callback;
  bool repeating = false;

  // The callback may restart, stop or destroy its timer: it runs from the stack, and this state outlives it, since
  // libuv's close comes in a later turn.
  void fire() {
    Callback<void()> running = std::move(callback);
    const std::uint64_t started = starts;
    running();
    if (repeating && starts == started) callback = std::move(running);
  }
  std::uint64_t starts = 0;
};

Timer::Timer(Loop& loop) : state_(new State) {
  uv_timer_init(loop.uv(), &state_->handle);
  state_->handle.data = state_;
}

Timer::~Timer() {
  stop();
  kit::close_and_delete(state_, state_->handle);
}

void Timer::start(std::uint64_t after_ms, Callback<void()> callback) {
  state_->callback = std::move(callback);
  state_->repeating = false;
  ++state_->starts;
  uv_timer_start(
      &state_->handle, [](uv_timer_t* timer) { static_cast<State*>(timer->data)->fire(); }, after_ms, 0);
}

void Timer::repeat(std::uint64_t every_ms, Callback<void()> callback) {
  state_->callback = std::move(callback);
  state_->repeating = true;
  ++state_->starts;
  uv_timer_start(
      &state_->handle, [](uv_timer_t* timer) { static_cast<State*>(timer->data)->fire(); }, every_ms, every_ms);
}

void Timer::stop() {
  state_->repeating = false;
  state_->callback = nullptr;
  uv_timer_stop(&state_->handle);
}

struct Signal::State {
  uv_signal_t handle;
  Callback<void()> callback;
};

Signal::Signal(Loop& loop, int number, Callback<void()> callback) : state_(new State{{}, std::move(callback)}) {
  uv_signal_init(loop.uv(), &state_->handle);
  state_->handle.data = state_;
  uv_signal_start(
      &state_->handle, [](uv_signal_t* signal, int) { static_cast<State*>(signal->data)->callback(); }, number);
}

Signal::~Signal() {
  kit::close_and_delete(state_, state_->handle);
}

}  // namespace collet::loop
