// Where plugin code runs: threads of one generation behind one bounded queue.
#pragma once

#include "loop/loop.h"
#include "plugin/run/call_table.h"
#include "plugin/run/thread.h"

namespace collet::plugin {

class Executor final : public loop::TurnEnd {
 public:
  // Runs one call to the end of the plugin's call().
  class Runner {
   public:
    virtual ~Runner() = default;
    virtual void run_queued(CallSlot& slot) = 0;
  };

  // `runner` is borrowed until join_until() has returned true. Threads start as calls come: a plugin that runs inline has none. That
  // takes long for a loop: push() starts one if all are busy, and that one the next if there are more calls.
  Executor(std::string name, unsigned threads_max, Runner& runner, unsigned queue_max = limits::kExecutorQueueMax);
  ~Executor() override;  // after join_until() returned true
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  enum class Pushed : std::uint8_t { accepted, full, closed, no_thread };
  // `at_turn_end`: it will be called soon; until then no thread needs to be woken, unless many calls wait.
  enum class Wake : std::uint8_t { now, at_turn_end };
  // [any] Calls start in the order of pushing.
  Pushed push(CallSlot& slot, Wake wake = Wake::now);
  // [any] Has what was pushed be run.
  void at_turn_end() override;

  // Takes no more; returns what was not begun, linked by `next`.
  CallSlot* close();
  // After close(): waits until no thread is left; false if a call() has not returned by then.
  bool join_until(Clock::time_point deadline);

 private:
  void loop();
  // All with mutex_. Of the threads one is on its way to the queue at a time: it wakes or starts the next one when it takes a call and
  // there are more, so that many short calls do not wake a thread each.

  // Whether a waiting thread is to be notified.
  bool wakes_one();
  bool lacks_thread() const { return waiting_ == 0 && !comes_ && started_ < threads_max_; }
  // Lets go of the lock meanwhile. If it cannot be started those that are there have to do.
  void add_thread(std::unique_lock<std::mutex>& lock);

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
  bool comes_ = false;    // one that waited, or was started, is on its way
  unsigned started_ = 0;
  unsigned running_ = 0;  // threads that have not left loop()
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace collet::plugin
