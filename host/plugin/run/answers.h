// The thread on which a plugin hears what has come of what it has asked the host for ([answer] in the SDK's words). It is there from
// the first question on, and runs beside all others of the plugin.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "base/callback.h"
#include "plugin/run/own_threads.h"
#include "plugin/run/thread.h"

namespace collet::plugin {

// Any thread. Its lock may be taken under any other.
class Answers {
 public:
  // Both are borrowed: the plugin's name, and what its code starts.
  Answers(const std::string& plugin, OwnThreads& own_threads) : plugin_(plugin), own_threads_(own_threads) {}
  ~Answers();  // after close(), or if start() was never called
  Answers(const Answers&) = delete;
  Answers& operator=(const Answers&) = delete;

  // Before the first push(): false if there is no thread to be had.
  bool start();
  // Tasks run one after another, in order. Nothing without a thread.
  void push(Callback<void()> task);
  // Whether that is the calling thread.
  bool is_current() const;
  // [any other] Nobody asks any more: waits until all tasks have returned. False if one has not by then.
  bool close(Clock::time_point deadline);

 private:
  void run();
  void run_one(Callback<void()> task) const;

  const std::string& plugin_;
  OwnThreads& own_threads_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<Callback<void()>> tasks_;
  bool idle_ = true;     // it waits, or is not there
  bool ending_ = false;  // it ends when it has nothing to do
  std::thread thread_;
};

}  // namespace collet::plugin
