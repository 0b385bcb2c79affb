// collet.loop/1 as a plugin sees it, on the test's thread, which is loop 0 of two: nothing runs but in turn(), and
// time stands still but for pass().
#pragma once

#include <collet/ext/loop.h>
#include <poll.h>

#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

class FakeLoops {
 public:
  FakeLoops() { of_test = this; }

  const collet_loop* table() const {
    static constexpr collet_loop kTable{sizeof(collet_loop), 0,     count, current, post, watch, rewatch,
                                        start_timer,         unwait};
    return &kTable;
  }

  // What was posted, what is ready by then, and timers that are due.
  void turn(int wait_ms = 20) {
    for (auto& [task, context] : std::exchange(posted_, {})) task(context);
    std::vector<pollfd> polled;
    std::vector<collet_loop_wait> ids;
    for (const auto& [id, watch] : watches_) {
      if (watch.events == 0) continue;
      const int events =
          (watch.events & COLLET_LOOP_READABLE ? POLLIN : 0) | (watch.events & COLLET_LOOP_WRITABLE ? POLLOUT : 0);
      polled.push_back({watch.descriptor, static_cast<short>(events), 0});
      ids.push_back(id);
    }
    poll(polled.data(), polled.size(), wait_ms);
    for (std::size_t i = 0; i < polled.size(); ++i) {
      const auto found = watches_.find(ids[i]);
      if (found == watches_.end() || polled[i].revents == 0) continue;
      const std::uint32_t bad = polled[i].revents & (POLLERR | POLLHUP) ? found->second.events : 0;
      found->second.ready(found->second.context, bad | (polled[i].revents & POLLIN ? COLLET_LOOP_READABLE : 0) |
                                                     (polled[i].revents & POLLOUT ? COLLET_LOOP_WRITABLE : 0));
    }
  }
  template <class Condition>
  bool turn_until(Condition condition) {
    for (unsigned turns = 0; turns < 1'000; ++turns) {
      if (condition()) return true;
      turn();
    }
    return false;
  }
  void pass(std::uint64_t ms) {
    now_ms_ += ms;
    for (auto at = timers_.begin(); at != timers_.end();) {
      if (at->second.due > now_ms_) {
        ++at;
        continue;
      }
      const Timer timer = at->second;
      timers_.erase(at);
      timer.task(timer.context);
      at = timers_.begin();
    }
  }

  std::size_t posted() const { return posted_.size(); }
  std::size_t watches() const { return watches_.size(); }
  int here = 0;  // current()

 private:
  struct Watch {
    int descriptor;
    std::uint32_t events;
    collet_loop_ready ready;
    void* context;
  };
  struct Timer {
    std::uint64_t due;
    collet_loop_task task;
    void* context;
  };

  static std::int32_t count(const collet_host*) { return 2; }
  static std::int32_t current(const collet_host*) { return of_test->here; }
  static std::int32_t post(const collet_host*, std::uint32_t, collet_loop_task task, void* context) {
    of_test->posted_.emplace_back(task, context);
    return COLLET_OK;
  }
  static std::int32_t watch(const collet_host*, std::int64_t descriptor, std::uint32_t events,
                            collet_loop_ready ready, void* context, collet_loop_wait* out) {
    *out = ++of_test->last_;
    of_test->watches_.emplace(*out, Watch{static_cast<int>(descriptor), events, ready, context});
    return COLLET_OK;
  }
  static std::int32_t rewatch(const collet_host*, collet_loop_wait wait, std::uint32_t events) {
    of_test->watches_.at(wait).events = events;
    return COLLET_OK;
  }
  static std::int32_t start_timer(const collet_host*, std::uint64_t after_ms, collet_loop_task task, void* context,
                                  collet_loop_wait* out) {
    *out = ++of_test->last_;
    of_test->timers_.emplace(*out, Timer{of_test->now_ms_ + after_ms, task, context});
    return COLLET_OK;
  }
  static std::int32_t unwait(const collet_host*, collet_loop_wait wait) {
    return of_test->watches_.erase(wait) + of_test->timers_.erase(wait) > 0 ? COLLET_OK : COLLET_E_STALE;
  }

  static inline FakeLoops* of_test = nullptr;

  std::uint64_t now_ms_ = 0;
  collet_loop_wait last_ = 0;
  std::deque<std::pair<collet_loop_task, void*>> posted_;
  std::map<collet_loop_wait, Watch> watches_;
  std::map<collet_loop_wait, Timer> timers_;
};
