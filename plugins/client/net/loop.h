// The client's one thread: a libuv loop with a way in for other threads.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace collet::client {

using Task = std::function<void()>;

class Loop {
 public:
  Loop();
  // On the thread that ran it, or before anyone did. Every timer, socket and child has been destroyed.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Until stop(). What has been posted is run before it returns.
  void run();
  // [any thread] Runs `task` on the loop, in order. After run() has returned it is dropped.
  void post(Task task);
  // [any thread]
  void stop();

  std::uint64_t now_ms() const { return uv_now(&uv_); }
  uv_loop_t* uv() { return &uv_; }

 private:
  void drain();

  uv_loop_t uv_;
  uv_async_t wake_;
  std::vector<Task> running_;  // loop thread
  bool stopping_ = false;      // loop thread

  std::mutex mutex_;  // guards all below
  std::vector<Task> tasks_;
  bool stop_asked_ = false;
};

// Calls back once, unless stopped, restarted or destroyed before; the callback may do all of that.
class Timer {
 public:
  explicit Timer(Loop& loop);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start(std::uint64_t after_ms, Task callback);
  void stop();
  bool active() const;

 private:
  struct State;
  State* state_;  // outlives this until libuv lets go of it
};

}  // namespace collet::client
