// Until when something is waited for, such as the end of a call. All that waits on one loop does so by one timer.
#pragma once

#include <cstdint>
#include <utility>

#include "base/callback.h"
#include "loop/loop.h"

namespace collet::registry {

// Loop thread, but for its construction and destruction, during which the loop may not run on another. Takes no memory, however
// many are armed.
class Deadlines {
 public:
  // What a Deadline has here. Belongs to it; the rest is this class's own.
  struct Entry {
    Callback<void()> passed;
    Deadlines* armed_in = nullptr;
    std::uint64_t when_ms = 0;  // by the loop's clock
    std::uint64_t order = 0;    // in which they were armed
    // Those below it are due later. They stand in a row, and the first of them knows this one as the one before it.
    Entry* below = nullptr;
    Entry* next = nullptr;
    Entry* before = nullptr;
  };

  // The loop is borrowed.
  explicit Deadlines(loop::Loop& loop) : loop_(loop), timer_(loop) {}
  ~Deadlines();  // what is still armed never passes
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  // One that is not armed passes after that time. Of several with the same time the one that was added first passes first.
  void add(Entry& entry, std::uint64_t after_ms) noexcept;
  void remove(Entry& entry) noexcept;
  // Until one that is armed passes; at least 1.
  std::uint64_t left_ms(const Entry& entry) const;

 private:
  void set_timer() noexcept;
  void expire();

  loop::Loop& loop_;
  loop::Timer timer_;
  Entry* first_ = nullptr;  // that is due next, with all others below it: a pairing heap
  std::uint64_t last_order_ = 0;
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  std::uint64_t timer_at_ms_ = kNever;
  bool expiring_ = false;  // which sets the timer in the end
};

// A member of what waits. While it is armed it belongs to the thread of that loop; else it may be destroyed anywhere, also when
// the Deadlines are gone.
class Deadline {
 public:
  // `passed` is called each time that it has passed. Then it is no longer armed, and may be armed again, or be destroyed, by
  // the last thing that `passed` does.
  explicit Deadline(Callback<void()> passed) : entry_{.passed = std::move(passed)} {}
  ~Deadline() { disarm(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // In place of what it was armed with before.
  void arm(Deadlines& deadlines, std::uint64_t after_ms) noexcept {
    disarm();
    deadlines.add(entry_, after_ms);
  }
  void disarm() noexcept {
    if (entry_.armed_in) entry_.armed_in->remove(entry_);
  }
  bool armed() const { return entry_.armed_in != nullptr; }
  // While it is armed: at least 1.
  std::uint64_t left_ms() const { return entry_.armed_in->left_ms(entry_); }

 private:
  Deadlines::Entry entry_;
};

}  // namespace collet::registry
