#include "plugin/run/executor.h"

#include <system_error>

#include "base/assert.h"

namespace collet::plugin {

Executor::Executor(std::string name, unsigned threads_max, Runner& runner, unsigned queue_max)
    : name_(std::move(name)), threads_max_(threads_max), queue_max_(queue_max), runner_(runner) {}

Executor::~Executor() {
  for (const std::thread& thread : threads_) COLLET_ASSERT(!thread.joinable());
}

Executor::Pushed Executor::push(CallSlot& slot) {
  std::unique_lock lock(mutex_);
  if (closed_) return Pushed::closed;
  if (queued_ >= queue_max_) return Pushed::full;
  const bool one_waits = waiting_ > woken_;
  if (!one_waits && threads_.size() < threads_max_) {
    try {
      threads_.push_back(start_thread(name_, [this] { loop(); }));
      ++running_;
    } catch (const std::system_error&) {
      if (threads_.empty()) return Pushed::no_thread;
    }
  }
  slot.next = nullptr;
  (last_ ? last_->next : first_) = &slot;
  last_ = &slot;
  ++queued_;
  if (!one_waits) return Pushed::accepted;
  ++woken_;
  lock.unlock();
  wanted_.notify_one();
  return Pushed::accepted;
}

CallSlot* Executor::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  wanted_.notify_all();
  last_ = nullptr;
  queued_ = 0;
  return std::exchange(first_, nullptr);
}

bool Executor::join_until(Clock::time_point deadline) {
  {
    std::unique_lock lock(mutex_);
    COLLET_ASSERT(closed_);
    if (!left_.wait_until(lock, deadline, [&] { return running_ == 0; })) return false;
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  return true;
}

void Executor::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    while (!first_ && !closed_) {
      ++waiting_;
      wanted_.wait(lock, [&] { return woken_ > 0 || closed_; });
      --waiting_;
      if (woken_ > 0) --woken_;
    }
    if (!first_) break;
    CallSlot* slot = first_;
    first_ = slot->next;
    if (!first_) last_ = nullptr;
    --queued_;
    lock.unlock();
    runner_.run_queued(*slot);
    lock.lock();
  }
  --running_;
  left_.notify_all();
}

}  // namespace collet::plugin
