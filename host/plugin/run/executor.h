// Where plugin code runs: threads of one generation behind one bounded queue.
#pragma once

#include "plugin/run/call_table.h"
#include "plugin/run/thread.h"

namespace collet::plugin {

class Executor {
 public:
  // Runs one call to the end of the plugin's call().
  class Runner {
   public:
    virtual ~Runner() = default;
    virtual void run_queued(CallSlot& slot) = 0;
  };

  // `runner` is borrowed until join_until() has returned true. Threads start as calls come: a plugin that runs
  // inline has none.
  Executor(std::string name, unsigned threads_max, Runner& runner, unsigned queue_max = limits::kExecutorQueueMax);
  ~Executor();  // after join_until() returned true
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  enum class Pushed : std::uint8_t { accepted, full, closed, no_thread };
  // [any] Calls start in the order of pushing.
  Pushed push(CallSlot& slot);

  // Takes no more; returns what was not begun, linked by `next`.
  CallSlot* close();
  // After close(): waits until no thread is left; false if a call() has not returned by then.
  bool join_until(Clock::time_point deadline);

 private:
  void loop();

  const std::string name_;
  const unsigned threads_max_;
  const unsigned queue_max_;
  Runner& runner_;

  std::mutex mutex_;  // guards all below
  std::condition_variable wanted_;
  std::condition_variable left_;
  CallSlot* first_ = nullptr;
  CallSlot* last_ = nullptr;
  unsigned queued_ = 0;
  unsigned waiting_ = 0;  // threads that wait for a call
  unsigned woken_ = 0;    // of those, the ones that have been told and are on their way
  unsigned running_ = 0;  // threads that have not left loop()
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace collet::plugin
