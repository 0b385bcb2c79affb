// An event loop and what waits on it. Each object registers in its constructor and is gone for its owner when its
// destructor returns; libuv's own close happens later, inside the loop.
//
// Threads: everything here belongs to the thread that runs the loop, except Loop::post() and Loop::stop().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/callback.h"

struct uv_loop_s;
struct uv_async_s;
struct uv_prepare_s;
struct uv_timer_s;
struct uv_signal_s;

namespace collet::loop {

// What is put off to the end of a loop's turn, so that it is done once for all that was ready.
class TurnEnd {
 public:
  virtual ~TurnEnd() = default;
  // Loop thread.
  virtual void at_turn_end() = 0;
};

class FreedMemoryWatch;

class Loop {
 public:
  using Task = Callback<void()>;

  Loop();
  ~Loop();  // after run() has returned, or before it was called; closes what is left
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop().
  void run();
  // Any thread. run() returns soon; tasks posted before are run first. Asked before run(), the next run() returns soon;
  // asked twice of one run(), the second says nothing new.
  void stop();

  // Any thread. Runs `task` on the loop thread, in the order of posting, never inside post(). A task posted after
  // the loop has ended is destroyed unrun.
  void post(Task task);

  // Loop thread. Calls `work` once when what is ready has been done, before the loop waits or run() returns, however often this is
  // asked until then. The loop shares it for so long.
  void at_turn_end(const std::shared_ptr<TurnEnd>& work);

  // Milliseconds of a monotonic clock, as of this turn of the loop.
  std::uint64_t now_ms() const;
  // [any thread] The loop that this thread runs, or null.
  static Loop* current();
  // Whether the calling thread runs this loop.
  bool is_current() const { return thread_ == std::this_thread::get_id(); }

  uv_loop_s* uv() { return uv_.get(); }

 private:
  void drain();
  void end_turn();

  std::unique_ptr<uv_loop_s> uv_;
  uv_async_s* wake_;
  uv_prepare_s* before_wait_;
  std::unique_ptr<FreedMemoryWatch> freed_memory_;
  std::thread::id thread_;
  bool stopping_ = false;  // loop thread
  std::vector<std::shared_ptr<TurnEnd>> at_turn_end_;  // loop thread

  std::mutex mutex_;  // guards the three below
  std::vector<Task> tasks_;
  bool stop_asked_ = false;
  bool closed_ = false;
};

// Calls back once or repeatedly. Restarting replaces what was set before; destroying stops it.
class Timer {
 public:
  explicit Timer(Loop& loop);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start(std::uint64_t after_ms, Callback<void()> callback);
  void repeat(std::uint64_t every_ms, Callback<void()> callback);
  void stop();

 private:
  struct State;
  State* state_;  // owned; freed by libuv's close callback
};

// Calls back each time the process receives `number`.
class Signal {
 public:
  Signal(Loop& loop, int number, Callback<void()> callback);
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

 private:
  struct State;
  State* state_;
};

}  // namespace collet::loop
