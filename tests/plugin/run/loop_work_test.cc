#include "plugin/run/loop_work.h"

#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "collet/ext/loop.h"
#include "plugin/abi/host_table.h"
#include "recorder.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;
using namespace std::chrono_literals;

namespace {

// Two loops, and the table of a plugin that works on them.
struct LoopsHost {
  ~LoopsHost() {
    work.close(Clock::now() + 20s);
    for (RunningLoop& each : loops) each.stop();
  }

  // Runs it on a loop, as an inline call would.
  void on_loop(unsigned index, std::function<void()> body) { loops[index].run(std::move(body)); }

  RunningLoop loops[2];
  CallTable calls{{&loops[0].get(), &loops[1].get()}};
  CallOwner owner{"tester", 2};
  Items items{CallRules{}};
  Blobs blobs;
  LoopWork work{calls, "tester"};
  HostSide side{calls, owner, items, blobs, {}, {}, nullptr, &work};
  const collet_host table = make_host_table(side);
  const collet_loop* loop =
      static_cast<const collet_loop*>(table.get_extension(&table, COLLET_EXT_LOOP, sizeof COLLET_EXT_LOOP - 1));
};

struct Pipe {
  Pipe() { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0); }
  ~Pipe() {
    for (const int end : ends) close(end);
  }
  int ends[2];
};

// A callback of the C table that fulfils a promise.
struct Told {
  static void task(void* self) { static_cast<Told*>(self)->promise.set_value(0); }
  static void ready(void* self, std::uint32_t events) {
    Told& told = *static_cast<Told*>(self);
    told.host->loop->unwait(&told.host->table, told.wait);
    told.promise.set_value(events);
  }
  std::uint32_t get() {
    auto future = promise.get_future();
    REQUIRE(future.wait_for(20s) == std::future_status::ready);
    return future.get();
  }

  LoopsHost* host = nullptr;
  collet_loop_wait wait = 0;
  std::promise<std::uint32_t> promise;
};

void nothing(void*) {}
void nothing_ready(void*, std::uint32_t) {}

}  // namespace

TEST_CASE("a thread knows which loop it is, and a task runs on the loop that it was posted to") {
  LoopsHost host;
  REQUIRE(host.loop);
  CHECK(host.loop->count(&host.table) == 2);
  CHECK(host.loop->current(&host.table) == COLLET_E_STATE);
  struct Where {
    LoopsHost* host;
    std::promise<std::int32_t> at;
  } where{&host, {}};
  const auto say = [](void* context) {
    auto& asked = *static_cast<Where*>(context);
    asked.at.set_value(asked.host->loop->current(&asked.host->table));
  };
  CHECK(host.loop->post(&host.table, 1, say, &where) == COLLET_OK);
  CHECK(where.at.get_future().get() == 1);
  CHECK(host.loop->post(&host.table, 2, say, &where) == COLLET_E_INVALID);
  CHECK(host.loop->post(&host.table, 0, nullptr, &where) == COLLET_E_INVALID);
}

TEST_CASE("a watched descriptor says what it is ready for, and nothing when nothing is wanted") {
  Pipe pipe;
  LoopsHost host;
  Told writable{&host, 0, {}}, readable{&host, 0, {}};
  host.on_loop(0, [&] {
    CHECK(host.loop->watch(&host.table, pipe.ends[0], COLLET_LOOP_READABLE | COLLET_LOOP_WRITABLE, Told::ready,
                           &writable, &writable.wait) == COLLET_OK);
  });
  CHECK(writable.get() == COLLET_LOOP_WRITABLE);
  REQUIRE(write(pipe.ends[1], "x", 1) == 1);
  host.on_loop(0, [&] {
    CHECK(host.loop->watch(&host.table, pipe.ends[0], 0, Told::ready, &readable, &readable.wait) == COLLET_OK);
  });
  host.on_loop(0,
               [&] { CHECK(host.loop->rewatch(&host.table, readable.wait, COLLET_LOOP_READABLE) == COLLET_OK); });
  CHECK(readable.get() == COLLET_LOOP_READABLE);
  host.on_loop(0, [&] {
    CHECK(host.loop->rewatch(&host.table, readable.wait, COLLET_LOOP_READABLE) == COLLET_E_STALE);
    CHECK(host.loop->unwait(&host.table, readable.wait) == COLLET_E_STALE);
  });
}

TEST_CASE("the end of what is read is readable") {
  Pipe pipe;
  LoopsHost host;
  shutdown(pipe.ends[1], SHUT_RDWR);
  Told told{&host, 0, {}};
  host.on_loop(1, [&] {
    host.loop->watch(&host.table, pipe.ends[0], COLLET_LOOP_READABLE, Told::ready, &told, &told.wait);
  });
  CHECK(told.get() == COLLET_LOOP_READABLE);
}

TEST_CASE("a timer calls once and is stale by then") {
  LoopsHost host;
  Told told, never;
  collet_loop_wait timer = 0, ended = 0;
  host.on_loop(0, [&] {
    CHECK(host.loop->start_timer(&host.table, 0, Told::task, &never, &ended) == COLLET_OK);
    CHECK(host.loop->unwait(&host.table, ended) == COLLET_OK);
    CHECK(host.loop->start_timer(&host.table, 1, Told::task, &told, &timer) == COLLET_OK);
    CHECK(host.loop->rewatch(&host.table, timer, 0) == COLLET_E_STALE);
  });
  CHECK(told.get() == 0);
  host.on_loop(0, [&] { CHECK(host.loop->unwait(&host.table, timer) == COLLET_E_STALE); });
  CHECK(never.promise.get_future().wait_for(0s) == std::future_status::timeout);
}

TEST_CASE("what belongs to a loop is refused elsewhere, and what is malformed anywhere") {
  Pipe pipe;
  LoopsHost host;
  collet_loop_wait wait = 0;
  const auto watch = [&](std::int64_t descriptor, std::uint32_t events, collet_loop_ready ready,
                         collet_loop_wait* out) {
    return host.loop->watch(&host.table, descriptor, events, ready, nullptr, out);
  };
  CHECK(watch(pipe.ends[0], COLLET_LOOP_READABLE, nothing_ready, &wait) == COLLET_E_STATE);
  CHECK(host.loop->start_timer(&host.table, 0, nothing, nullptr, &wait) == COLLET_E_STATE);
  host.on_loop(0, [&] {
    CHECK(watch(-1, COLLET_LOOP_READABLE, nothing_ready, &wait) == COLLET_E_INVALID);
    CHECK(watch(std::int64_t{1} << 32, COLLET_LOOP_READABLE, nothing_ready, &wait) == COLLET_E_INVALID);
    CHECK(watch(pipe.ends[0], 4, nothing_ready, &wait) == COLLET_E_INVALID);
    CHECK(watch(pipe.ends[0], COLLET_LOOP_READABLE, nullptr, &wait) == COLLET_E_INVALID);
    CHECK(watch(pipe.ends[0], COLLET_LOOP_READABLE, nothing_ready, nullptr) == COLLET_E_INVALID);
    CHECK(host.loop->start_timer(&host.table, 0, nullptr, nullptr, &wait) == COLLET_E_INVALID);
    CHECK(watch(pipe.ends[0], COLLET_LOOP_READABLE, nothing_ready, &wait) == COLLET_OK);
    collet_loop_wait again = 0;
    CHECK(watch(pipe.ends[0], COLLET_LOOP_READABLE, nothing_ready, &again) == COLLET_E_INVALID);
    CHECK(host.loop->rewatch(&host.table, wait, 4) == COLLET_E_INVALID);
  });
  host.on_loop(1, [&] { CHECK(host.loop->unwait(&host.table, wait) == COLLET_E_STALE); });
}

TEST_CASE("a loop keeps so many waits of a generation, and no more") {
  LoopsHost host;
  host.on_loop(0, [&] {
    std::uint64_t wait = 0;
    for (unsigned i = 0; i < limits::kLoopWaitsMax; ++i) {
      REQUIRE(host.loop->start_timer(&host.table, 1'000'000, nothing, nullptr, &wait) == COLLET_OK);
    }
    std::uint64_t one_more = 0;
    CHECK(host.loop->start_timer(&host.table, 1'000'000, nothing, nullptr, &one_more) == COLLET_E_LIMIT);
    CHECK(host.loop->unwait(&host.table, wait) == COLLET_OK);
    CHECK(host.loop->start_timer(&host.table, 1'000'000, nothing, nullptr, &one_more) == COLLET_OK);
  });
}

TEST_CASE("so many tasks wait for a loop, and no more") {
  LoopsHost host;
  host.on_loop(0, [&] {
    for (unsigned i = 0; i < limits::kLoopTasksMax; ++i) {
      REQUIRE(host.loop->post(&host.table, 0, nothing, nullptr) == COLLET_OK);
    }
    CHECK(host.loop->post(&host.table, 0, nothing, nullptr) == COLLET_E_LIMIT);
    CHECK(host.loop->post(&host.table, 1, nothing, nullptr) == COLLET_OK);
  });
}

TEST_CASE("when it is closed the last callback has returned, and none comes any more") {
  Pipe pipe;
  LoopsHost host;
  Told never;
  std::promise<void> entered, leave;
  std::atomic<bool> returned{false};
  host.on_loop(0, [&] {
    host.loop->watch(&host.table, pipe.ends[0], COLLET_LOOP_READABLE, nothing_ready, nullptr, &never.wait);
  });
  host.work.post(0, [&] {
    entered.set_value();
    leave.get_future().wait();
    CHECK(host.loop->start_timer(&host.table, 0, nothing, nullptr, &never.wait) == COLLET_E_STATE);
    returned = true;
  });
  host.work.post(0, [&] { FAIL("a task that had not begun"); });
  entered.get_future().wait();
  CHECK_FALSE(host.work.close(Clock::now()));
  leave.set_value();
  CHECK(host.work.close(Clock::now() + 20s));
  CHECK(returned);
  CHECK(host.loop->post(&host.table, 0, Told::task, &never) == COLLET_E_STATE);
  host.on_loop(0, [&] {
    CHECK(host.loop->watch(&host.table, pipe.ends[1], COLLET_LOOP_READABLE, nothing_ready, nullptr, &never.wait) ==
          COLLET_E_STATE);
    CHECK(host.loop->unwait(&host.table, never.wait) == COLLET_E_STATE);
  });
}

TEST_CASE("what loops that have ended still hold is taken away without them") {
  Pipe pipe;
  LoopsHost host;
  collet_loop_wait wait = 0;
  host.on_loop(0, [&] {
    host.loop->watch(&host.table, pipe.ends[0], COLLET_LOOP_READABLE, nothing_ready, nullptr, &wait);
    host.loop->start_timer(&host.table, 1'000'000, nothing, nullptr, &wait);
  });
  for (RunningLoop& each : host.loops) each.stop();
  CHECK_FALSE(host.work.close(Clock::now()));
  host.work.abandon();
  CHECK(host.work.close(Clock::now() + 20s));
}

TEST_CASE("a call that ends in a callback is delivered before the loop turns") {
  LoopsHost host;
  Recorder recorder;
  CallId id = 0;
  host.on_loop(0, [&] {
    CallSlot* slot = host.calls.acquire(0, host.owner, recorder, CallKind::tool);
    id = host.calls.open_held(*slot);
    host.calls.settle(*slot);
    host.work.post(0, [&] {
      CHECK(host.table.complete(&host.table, id, 0) == COLLET_OK);
      CHECK(recorder.ends() == 0);
    });
    host.work.post(0, [&] { CHECK(recorder.ends() == 1); });
  });
  recorder.wait_end();
  std::promise<void> both;
  host.work.post(0, [&] { both.set_value(); });
  both.get_future().wait();
}

TEST_CASE("a plugin in a worker has no loops to work on") {
  LoopsHost host;
  host.side.loop_work = nullptr;
  CHECK(host.table.get_extension(&host.table, COLLET_EXT_LOOP, sizeof COLLET_EXT_LOOP - 1) == nullptr);
  CHECK(host.loop->count(&host.table) == COLLET_E_UNSUPPORTED);
}
