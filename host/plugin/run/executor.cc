#include "plugin/run/executor.h"

#include <exception>
#include <system_error>

#include "base/assert.h"

namespace collet::plugin {

Executor::Executor(std::string name, unsigned threads_max, Runner& runner, unsigned queue_max)
    : name_(std::move(name)), threads_max_(threads_max), queue_max_(queue_max), runner_(runner) {
  threads_.reserve(threads_max);
}

Executor::~Executor() {
  for (const std::thread& thread : threads_) COLLET_ASSERT(!thread.joinable());
}

Executor::Pushed Executor::push(CallSlot& slot, Wake wake) {
  std::unique_lock lock(mutex_);
  if (closed_) return Pushed::closed;
  if (queued_ >= queue_max_) return Pushed::full;
  if (lacks_thread()) {
    try {
      threads_.push_back(start_thread(name_, [this] { loop(); }));
      ++started_;
      ++running_;
      comes_ = true;
    } catch (const std::system_error&) {
      if (threads_.empty()) return Pushed::no_thread;
    }
  }
  slot.next = nullptr;
  (last_ ? last_->next : first_) = &slot;
  last_ = &slot;
  ++queued_;
  const bool wakes = (wake == Wake::now || queued_ >= limits::kExecutorHeldMax) && wakes_one();
  lock.unlock();
  if (wakes) wanted_.notify_one();
  return Pushed::accepted;
}

void Executor::at_turn_end() {
  std::unique_lock lock(mutex_);
  const bool wakes = wakes_one();
  lock.unlock();
  if (wakes) wanted_.notify_one();
}

bool Executor::wakes_one() {
  if (!first_ || waiting_ == 0 || comes_) return false;
  return comes_ = true;
}

void Executor::add_thread(std::unique_lock<std::mutex>& lock) {
  ++started_;
  ++running_;
  comes_ = true;
  lock.unlock();
  std::thread thread;
  try {
    thread = start_thread(name_, [this] { loop(); });
  } catch (const std::exception&) {
  }
  lock.lock();
  if (thread.joinable()) return threads_.push_back(std::move(thread));
  --started_;
  --running_;
  comes_ = false;
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
  comes_ = false;
  for (;;) {
    while (!first_ && !closed_) {
      ++waiting_;
      wanted_.wait(lock, [&] { return comes_ || closed_; });
      --waiting_;
      comes_ = false;
    }
    if (!first_) break;
    CallSlot* slot = first_;
    first_ = slot->next;
    if (!first_) last_ = nullptr;
    --queued_;
    if (first_ && lacks_thread()) add_thread(lock);
    const bool wakes = wakes_one();
    lock.unlock();
    if (wakes) wanted_.notify_one();
    runner_.run_queued(*slot);
    lock.lock();
  }
  --running_;
  left_.notify_all();
}

}  // namespace collet::plugin
