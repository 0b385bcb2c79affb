#include "loop/loop.h"

#include <csignal>
#include <functional>
#include <memory>
#include <thread>

#include "support/catch.h"

using namespace collet::loop;

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
