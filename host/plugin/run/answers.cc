#include "plugin/run/answers.h"

#include <system_error>

#include "base/assert.h"
#include "base/log.h"

namespace collet::plugin {

Answers::~Answers() { COLLET_ASSERT(!thread_.joinable()); }

bool Answers::start() {
  const std::lock_guard lock(mutex_);
  if (thread_.joinable()) return true;
  try {
    thread_ = start_thread(plugin_, [this] { run(); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void Answers::push(Callback<void()> task) {
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable() || ending_) return;
  tasks_.push_back(std::move(task));
  changed_.notify_all();
}

bool Answers::is_current() const {
  const std::lock_guard lock(mutex_);
  return std::this_thread::get_id() == thread_.get_id();
}

void Answers::run() {
  const OwnThreads::Inside inside(&own_threads_, {"what it does with an answer"});
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    Callback<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    idle_ = false;
    lock.unlock();
    run_one(std::move(task));
    lock.lock();
    idle_ = true;
    changed_.notify_all();
  }
}

void Answers::run_one(Callback<void()> task) const {
  try {
    task();
  } catch (...) {  // as of call(): where the plugin was built so that it can be unwound
    log::error("plugin {}: what it does with an answer threw an exception", plugin_);
  }
}

bool Answers::close(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) return true;
  if (!changed_.wait_until(lock, deadline, [&] { return idle_ && tasks_.empty(); })) return false;
  ending_ = true;
  changed_.notify_all();
  std::thread ended = std::move(thread_);
  lock.unlock();
  ended.join();
  return true;
}

}  // namespace collet::plugin
