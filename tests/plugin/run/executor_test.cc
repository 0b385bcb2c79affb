#include "plugin/run/executor.h"

#include <array>

#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;

namespace {

// Runs calls as far as the test lets them.
class Gate : public Executor::Runner {
 public:
  void run_queued(CallSlot& slot) override {
    std::unique_lock lock(mutex_);
    began.push_back(slot.index);
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    ++ended_;
    changed_.notify_all();
  }
  void wait_began(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(120), [&] { return began.size() >= count; }));
  }
  void wait_ended(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(120), [&] { return ended_ >= count; }));
  }
  void open() { set(true); }
  void close() { set(false); }
  std::vector<unsigned> began;

 private:
  void set(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t ended_ = 0;
  bool open_ = false;
};

Clock::time_point soon() { return Clock::now() + std::chrono::seconds(120); }

struct Slots {
  Slots() {
    for (unsigned i = 0; i < all.size(); ++i) all[i].index = i;
  }
  std::array<CallSlot, 64> all;
};

}  // namespace

TEST_CASE("one thread runs calls one at a time, in order") {
  Gate gate;
  Slots slots;
  Executor executor("test", 1, gate);
  for (CallSlot& slot : slots.all) CHECK(executor.push(slot) == Executor::Pushed::accepted);
  gate.wait_began(1);
  CHECK(gate.began == std::vector<unsigned>{0});
  gate.open();
  gate.wait_began(slots.all.size());
  for (unsigned i = 0; i < gate.began.size(); ++i) CHECK(gate.began[i] == i);
  CHECK_FALSE(executor.close());
  CHECK(executor.join_until(soon()));
}

TEST_CASE("several threads run as many calls at once") {
  Gate gate;
  Slots slots;
  Executor executor("test", 3, gate);
  for (unsigned i = 0; i < 4; ++i) executor.push(slots.all[i]);
  gate.wait_began(3);
  CHECK(gate.began.size() == 3);
  gate.open();
  gate.wait_began(4);
  executor.close();
  CHECK(executor.join_until(soon()));
}

TEST_CASE("the queue takes its limit and not one more") {
  Gate gate;
  Slots slots;
  Executor executor("test", 1, gate, 2);
  CHECK(executor.push(slots.all[0]) == Executor::Pushed::accepted);
  gate.wait_began(1);  // no longer in the queue
  CHECK(executor.push(slots.all[1]) == Executor::Pushed::accepted);
  CHECK(executor.push(slots.all[2]) == Executor::Pushed::accepted);
  CHECK(executor.push(slots.all[3]) == Executor::Pushed::full);
  CallSlot* left = executor.close();
  REQUIRE(left == &slots.all[1]);
  CHECK(left->next == &slots.all[2]);
  CHECK(executor.push(slots.all[3]) == Executor::Pushed::closed);
  CHECK_FALSE(executor.join_until(Clock::now()));  // one call still runs
  gate.open();
  CHECK(executor.join_until(soon()));
}

TEST_CASE("a waiting thread is woken again and again") {
  Gate gate;
  gate.open();
  Slots slots;
  Executor executor("test", 2, gate);
  for (std::size_t i = 0; i < slots.all.size(); ++i) {
    executor.push(slots.all[i]);
    gate.wait_began(i + 1);
  }
  executor.close();
  CHECK(executor.join_until(soon()));
}

TEST_CASE("threads start each other until each call has one") {
  Gate gate;
  Slots slots;
  Executor executor("test", static_cast<unsigned>(slots.all.size()), gate);
  for (CallSlot& slot : slots.all) executor.push(slot, Executor::Wake::at_turn_end);
  executor.at_turn_end();
  gate.wait_began(slots.all.size());  // none ends before
  gate.open();
  executor.close();
  CHECK(executor.join_until(soon()));
}

TEST_CASE("threads that wait wake each other until each has a call") {
  constexpr unsigned kThreads = 4;
  Gate gate;
  Slots slots;
  Executor executor("test", kThreads, gate);
  std::size_t began = 0;
  for (unsigned round = 0; round < 200; ++round) {
    gate.close();
    for (unsigned i = 0; i < kThreads; ++i) executor.push(slots.all[i], Executor::Wake::at_turn_end);
    executor.at_turn_end();
    began += kThreads;
    gate.wait_began(began);  // none ends before
    gate.open();
    gate.wait_ended(began);
  }
  executor.close();
  CHECK(executor.join_until(soon()));
}

TEST_CASE("as many calls as may be held until the end of a turn are run without it") {
  Gate gate;
  gate.open();
  Slots slots;
  Executor executor("test", 1, gate);
  executor.push(slots.all[0]);
  gate.wait_began(1);
  for (unsigned i = 1; i <= limits::kExecutorHeldMax; ++i) executor.push(slots.all[i], Executor::Wake::at_turn_end);
  gate.wait_began(1 + limits::kExecutorHeldMax);
  executor.close();
  CHECK(executor.join_until(soon()));
}
