#include <collet/kit/loop.hpp>

#include <memory>
#include <thread>

#include "support/catch.h"

using namespace collet::kit;

TEST_CASE("a loop runs what is posted in order, on its thread, whoever posts it") {
  Loop loop;
  const std::thread::id here = std::this_thread::get_id();
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    loop.post([&order, i] { order.push_back(i); });
  }
  std::thread other([&] {
    loop.post([&] {
      CHECK(std::this_thread::get_id() == here);
      order.push_back(3);
    });
    loop.stop();
  });
  loop.run();
  other.join();
  CHECK(order == std::vector<int>{0, 1, 2, 3});
}

TEST_CASE("a loop runs what many threads post, each task once") {
  constexpr int kThreads = 4, kTasks = 1000;
  Loop loop;
  int ran = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int task = 0; task < kTasks; ++task) {
        loop.post([&] {
          if (++ran == kThreads * kTasks) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  CHECK(ran == kThreads * kTasks);
}

TEST_CASE("a task may post another, which runs in a later turn") {
  Loop loop;
  std::vector<int> order;
  loop.post([&] {
    loop.post([&] {
      order.push_back(2);
      loop.stop();
    });
    order.push_back(1);
  });
  loop.run();
  CHECK(order == std::vector<int>{1, 2});
}

TEST_CASE("a loop runs again after it has stopped") {
  Loop loop;
  int ran = 0;
  for (int i = 0; i < 2; ++i) {
    loop.post([&] { ++ran; });
    loop.stop();
    loop.run();
  }
  CHECK(ran == 2);
}

TEST_CASE("a task that a loop never ran is destroyed with it") {
  auto owned = std::make_shared<int>();
  {
    Loop loop;
    loop.post([owned] { FAIL("ran"); });
  }
  CHECK(owned.use_count() == 1);
}

TEST_CASE("a task that a loop never ran may own a timer of that loop") {
  auto owned = std::make_shared<int>();
  {
    Loop loop;
    auto timer = std::make_shared<Timer>(loop);
    timer->start(0, [owned] { FAIL("called back"); });
    loop.post([timer = std::move(timer)] { FAIL("ran"); });
  }
  CHECK(owned.use_count() == 1);
}

TEST_CASE("a task that is posted after a run waits for the next one") {
  Loop loop;
  loop.stop();
  loop.run();
  bool ran = false;
  loop.post([&] { ran = true; });
  CHECK_FALSE(ran);
  loop.stop();
  loop.run();
  CHECK(ran);
}

TEST_CASE("a timer of a loop calls back once, and may be restarted, stopped or destroyed by that") {
  Loop loop;
  auto destroyed = std::make_unique<Timer>(loop);
  Timer restarted(loop), last(loop);
  int starts = 0;
  Task start = [&] {
    if (++starts < 3) return restarted.start(0, start);
    restarted.stop();
    last.start(1, [&] { loop.stop(); });
  };
  destroyed->start(0, [&] { destroyed.reset(); });
  restarted.start(0, start);
  CHECK(restarted.active());
  loop.run();
  CHECK_FALSE(destroyed);
  CHECK(starts == 3);
  CHECK_FALSE(restarted.active());
  CHECK_FALSE(last.active());
}

TEST_CASE("a timer that is stopped, restarted or destroyed in time does not call back") {
  Loop loop;
  auto owned = std::make_shared<int>();
  Timer stopped(loop), restarted(loop), last(loop);
  stopped.start(0, [owned] { FAIL("stopped"); });
  restarted.start(0, [owned] { FAIL("restarted"); });
  {
    Timer destroyed(loop);
    destroyed.start(0, [owned] { FAIL("destroyed"); });
  }
  stopped.stop();
  bool again = false;
  restarted.start(0, [&] { again = true; });
  CHECK(owned.use_count() == 1);
  last.start(2, [&] { loop.stop(); });
  loop.run();
  CHECK(again);
}

TEST_CASE("the state of a handle is deleted once libuv has let go of the handle") {
  struct State {
    uv_timer_t handle;
    std::shared_ptr<int> owned;
  };
  auto owned = std::make_shared<int>();
  {
    Loop loop;
    auto* const state = new State{{}, owned};
    uv_timer_init(loop.uv(), &state->handle);
    close_and_delete(state, state->handle);
    CHECK(owned.use_count() == 2);
  }
  CHECK(owned.use_count() == 1);
}
