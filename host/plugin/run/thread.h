// Threads of a generation: named, deaf to signals, waited for with a deadline.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/callback.h"

namespace collet::plugin {

using Clock = std::chrono::steady_clock;

// Starts a thread that receives no signals but those that it causes itself: the others belong to the loops. Throws
// std::system_error if there are too many.
std::thread start_thread(const std::string& name, Callback<void()> body);

// The control thread: runs one task after another. Belongs to one other thread.
class ControlThread {
 public:
  explicit ControlThread(const std::string& name);
  ~ControlThread();  // waits for the tasks
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  void run(Callback<void()> task);
  // Waits until every task has run; false if the deadline comes first.
  bool wait_until(Clock::time_point deadline);

 private:
  void loop();

  std::mutex mutex_;  // guards the four below
  std::condition_variable changed_;
  std::vector<Callback<void()>> tasks_;
  bool busy_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace collet::plugin
