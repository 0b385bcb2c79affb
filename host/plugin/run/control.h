// A generation's control thread as those see it who have the plugin's code run there and wait for it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "plugin/load/image.h"
#include "plugin/run/own_threads.h"
#include "plugin/run/thread.h"

namespace collet::plugin {

// Belongs to one other thread.
class Control {
 public:
  // Both are borrowed: where the plugin's code is, and the threads that it starts.
  Control(Image& image, OwnThreads& own_threads) : image_(image), own_threads_(own_threads) {}
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  void start(const std::string& name);
  // After start(). The plugin's code runs there.
  void run(Callback<void()> task);
  // Waits until every task has returned; false if the deadline comes first.
  bool wait_until(Clock::time_point deadline);
  // The same, and ends the plugin's code at the deadline if that can be done. False if it runs still.
  bool wait_or_kill(Clock::time_point deadline, std::string_view what);
  // Waits for the tasks, and ends the thread, if there is one.
  void join() { thread_.reset(); }

 private:
  Image& image_;
  OwnThreads& own_threads_;
  std::unique_ptr<ControlThread> thread_;
};

}  // namespace collet::plugin
