#include "plugin/run/thread.h"

#include <pthread.h>

#include <csignal>

#include "plugin/crash/alternate_stack.h"
#include "plugin/run/own_threads.h"

namespace collet::plugin {

std::thread start_thread(const std::string& name, Callback<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  for (const int own : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&all, own);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // inherited by the thread, and by those that its plugin starts
  const OwnThreads::Inside none(nullptr);       // also if a plugin's call is the cause
  std::thread thread;
  try {
    thread = std::thread([kept = std::move(body)]() mutable {
      const crash::AlternateStack stack;
      kept();
    });
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  constexpr std::size_t kNameMax = 15;  // of the kernel
  pthread_setname_np(thread.native_handle(), name.substr(0, kNameMax).c_str());
  return thread;
}

ControlThread::ControlThread(const std::string& name) {
  thread_ = start_thread(name, [this] { loop(); });
}

ControlThread::~ControlThread() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ControlThread::run(Callback<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

bool ControlThread::wait_until(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [&] { return tasks_.empty() && !busy_; });
}

void ControlThread::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    std::vector<Callback<void()>> batch = std::move(tasks_);
    tasks_.clear();
    busy_ = true;
    lock.unlock();
    for (auto& task : batch) task();
    batch.clear();
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace collet::plugin
