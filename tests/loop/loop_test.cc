#include "loop/loop.h"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>

#include "base/freed_memory.h"
#include "base/limits.h"
#include "support/catch.h"

using namespace collet::loop;
namespace freed_memory = collet::freed_memory;

TEST_CASE("tasks run in order on the loop thread, whoever posts them") {
  Loop loop;
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    loop.post([&, i] {
      CHECK(loop.is_current());
      order.push_back(i);
    });
  }
  std::thread other([&] {
    loop.post([&] { order.push_back(3); });
    loop.stop();
  });
  loop.run();
  other.join();
  CHECK(order == std::vector<int>{0, 1, 2, 3});
}

TEST_CASE("a loop that was asked to stop twice stops once") {
  Loop loop;
  loop.post([&] {
    loop.stop();
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  bool ran = false;
  Timer later(loop);
  later.start(1, [&] {
    ran = true;
    loop.stop();
  });
  loop.run();
  CHECK(ran);
}

namespace {

struct CountsTurns : TurnEnd {
  void at_turn_end() override {
    ++ends;
    if (then) then();
  }
  unsigned ends = 0;
  std::function<void()> then;
};

}  // namespace

TEST_CASE("what is put off to the end of a turn is done once, behind all that was ready") {
  Loop loop;
  const auto work = std::make_shared<CountsTurns>();
  for (int i = 0; i < 3; ++i) {
    loop.post([&] {
      loop.at_turn_end(work);
      CHECK(work->ends == 0);
    });
  }
  work->then = [&] { loop.stop(); };
  loop.run();
  CHECK(work->ends == 1);
  CHECK(work.use_count() == 1);
}

TEST_CASE("what is put off to the end of a turn is done before the loop waits, whatever asked for it") {
  Loop loop;
  const auto by_timer = std::make_shared<CountsTurns>();
  const auto by_other = std::make_shared<CountsTurns>();
  Timer timer(loop);
  timer.start(1, [&] { loop.at_turn_end(by_timer); });
  by_timer->then = [&] { loop.at_turn_end(by_other); };
  by_other->then = [&] { loop.stop(); };  // nothing else ends this
  loop.run();
  CHECK(by_timer->ends == 1);
  CHECK(by_other->ends == 1);
}

TEST_CASE("what is put off to the end of a turn is done before the loop ends") {
  Loop loop;
  const auto work = std::make_shared<CountsTurns>();
  loop.post([&] {
    loop.stop();
    loop.post([&] { loop.at_turn_end(work); });
  });
  loop.run();
  CHECK(work->ends == 1);
}

TEST_CASE("a task that the loop never ran is destroyed with it") {
  auto owned = std::make_shared<int>();
  {
    Loop loop;
    loop.post([owned] { FAIL("ran"); });
  }
  CHECK(owned.use_count() == 1);
}

TEST_CASE("a timer may destroy itself, restart itself, or stop repeating from its callback") {
  Loop loop;
  auto once = std::make_unique<Timer>(loop);
  Timer again(loop);
  Timer repeating(loop);
  int restarts = 0;
  int repeats = 0;
  std::function<void()> restart = [&] {
    if (++restarts < 3) again.start(0, [&] { restart(); });
  };
  once->start(0, [&] { once.reset(); });
  again.start(0, [&] { restart(); });
  repeating.repeat(1, [&] {
    if (++repeats < 3) return;
    repeating.stop();
    loop.stop();
  });
  loop.run();
  CHECK_FALSE(once);
  CHECK(restarts == 3);
  CHECK(repeats == 3);
}

TEST_CASE("a signal reaches its watcher") {
  Loop loop;
  int seen = 0;
  Signal watcher(loop, SIGUSR1, [&] {
    ++seen;
    loop.stop();
  });
  loop.post([] { std::raise(SIGUSR1); });
  loop.run();
  CHECK(seen == 1);
}

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

TEST_CASE("what large messages leave is given back when none has come for a while") {
  constexpr std::size_t kMessageBytes = 8u << 20;
  freed_memory::keep();
  Loop loop;
  Timer again(loop), look(loop);
  std::uint64_t began = 0, last_came = 0, gone = 0;
  const auto leave_message = [&] {
    std::memset(std::make_unique_for_overwrite<char[]>(kMessageBytes).get(), 1, kMessageBytes);
    freed_memory::note(kMessageBytes);
    last_came = loop.now_ms();
  };
  loop.post([&] {
    leave_message();
    began = last_came;
    CHECK(mallinfo2().keepcost >= kMessageBytes);
  });
  again.start(collet::limits::kFreedMemoryKeptMs / 10, leave_message);
  look.repeat(20, [&] {
    if (mallinfo2().keepcost >= kMessageBytes) return;
    gone = loop.now_ms();
    loop.stop();
  });
  loop.run();
  const bool second_was_late = last_came - began >= collet::limits::kFreedMemoryKeptMs;
  CHECK((second_was_late || gone - began >= 2 * collet::limits::kFreedMemoryKeptMs));
}

#endif
