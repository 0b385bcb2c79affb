#include "loop/loop.h"

#include <csignal>
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
