#include "plugin/run/call_table.h"

#include "recorder.h"
#include "registry/definition.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;

namespace {

struct Table {
  ~Table() { loop.stop(); }

  RunningLoop loop;
  CallTable calls{{&loop.get()}};
  CallOwner owner{"p", 1};
};

}  // namespace

TEST_CASE("an id is good from the beginning of a call to its end, and for its owner only") {
  Table t;
  CallOwner other("q", 1);
  Recorder recorder;
  CallId id = 0;
  t.loop.run([&] {
    CallSlot* slot = t.calls.acquire(0, t.owner, recorder, CallKind::tool);
    REQUIRE(slot);
    id = t.calls.open_waiting(*slot);
    CHECK_FALSE(t.calls.lock(id, t.owner));  // not begun: the plugin cannot know it yet
    t.calls.begin(*slot);
  });
  CHECK(t.calls.lock(id, t.owner));
  CHECK_FALSE(t.calls.lock(id, other));
  CHECK_FALSE(t.calls.is_cancelled(id, other));
  for (const CallId forged : {CallId{0}, id + 1, id + (CallId{1} << 24), id + (CallId{1} << 32), ~CallId{0}}) {
    CHECK_FALSE(t.calls.lock(forged, t.owner));
    CHECK_FALSE(t.calls.is_cancelled(forged, t.owner));
  }
  CHECK(t.owner.calls_in_flight() == 1);
  t.calls.end(t.calls.lock(id, t.owner));
  CHECK_FALSE(t.calls.lock(id, t.owner));
  recorder.wait_end();
  t.loop.run([] {});
  CHECK(t.owner.calls_in_flight() == 0);
}

TEST_CASE("a slot that is used again gives another id") {
  Table t;
  Recorder first;
  Recorder second;
  t.loop.run([&] {
    CallSlot* slot = t.calls.acquire(0, t.owner, first, CallKind::tool);
    const CallId before = t.calls.open_held(*slot);
    t.calls.end(t.calls.lock(before, t.owner));
    CHECK(t.calls.settle(*slot) == 0);
    CHECK(first.ends() == 1);
    CHECK(t.calls.acquire(0, t.owner, second, CallKind::tool) == slot);
    const CallId after = t.calls.open_held(*slot);
    CHECK(after != before);
    CHECK_FALSE(t.calls.lock(before, t.owner));
    t.calls.end(t.calls.lock(after, t.owner));
    t.calls.settle(*slot);
  });
  CHECK(second.ends() == 1);
}

TEST_CASE("no id is 0, not even when a slot has been used as often as it can be counted") {
  Table t;
  Recorder recorder;
  t.loop.run([&] {
    CallSlot* slot = t.calls.acquire(0, t.owner, recorder, CallKind::tool);
    slot->generation = ~std::uint32_t{0};
    const CallId id = t.calls.open_held(*slot);
    CHECK(id >> 32 == 1);
    t.calls.end(t.calls.lock(id, t.owner));
    t.calls.settle(*slot);
  });
}

TEST_CASE("a held call that does not end at once is delivered later") {
  Table t;
  Recorder recorder;
  CallId id = 0;
  t.loop.run([&] {
    CallSlot* slot = t.calls.acquire(0, t.owner, recorder, CallKind::tool);
    id = t.calls.open_held(*slot);
    CHECK(t.calls.settle(*slot) == id);
  });
  CHECK(recorder.ends() == 0);
  t.calls.end_failed(t.calls.lock(id, t.owner), -1, "why");
  CHECK(recorder.wait_end().message == "why");
}

TEST_CASE("a loop takes as many calls as its limit and not one more") {
  Table t;
  Recorder recorder;
  t.loop.run([&] {
    std::vector<CallSlot*> slots;
    for (unsigned i = 0; i < limits::kCallsInFlightMax; ++i) {
      slots.push_back(t.calls.acquire(0, t.owner, recorder, CallKind::tool));
      if (!slots.back()) break;
      t.calls.open_held(*slots.back());
    }
    REQUIRE(slots.size() == limits::kCallsInFlightMax);
    REQUIRE(slots.back());
    CHECK_FALSE(t.calls.acquire(0, t.owner, recorder, CallKind::tool));
    CHECK(t.owner.calls_in_flight() == limits::kCallsInFlightMax);
    CHECK(t.calls.running(t.owner).size() == limits::kCallsInFlightMax);
    for (CallSlot* slot : slots) {
      t.calls.end(t.calls.lock(slot->id.load(), t.owner));
      t.calls.settle(*slot);
    }
    CHECK(t.calls.acquire(0, t.owner, recorder, CallKind::tool));
  });
  CHECK(recorder.ends() == static_cast<int>(limits::kCallsInFlightMax));
}

TEST_CASE("threads that end calls race for each exactly once") {
  Table t;
  constexpr int kCalls = 500;
  std::vector<Recorder> recorders(kCalls);
  std::vector<CallId> ids(kCalls);
  t.loop.run([&] {
    for (int i = 0; i < kCalls; ++i) {
      CallSlot* slot = t.calls.acquire(0, t.owner, recorders[static_cast<std::size_t>(i)], CallKind::tool);
      ids[static_cast<std::size_t>(i)] = t.calls.open_held(*slot);
      t.calls.settle(*slot);
    }
  });
  std::atomic<int> ended{0};
  std::vector<std::thread> threads;
  for (int n = 0; n < 3; ++n) {
    threads.emplace_back([&] {
      for (const CallId id : ids) {
        if (LockedCall call = t.calls.lock(id, t.owner)) {
          t.calls.end(std::move(call));
          ++ended;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(ended == kCalls);
  for (Recorder& recorder : recorders) recorder.wait_end();
  t.loop.run([] {});
  for (const Recorder& recorder : recorders) CHECK(recorder.ends() == 1);
}

TEST_CASE("a slot keeps room for a common result, and no more") {
  Table t;
  Recorder recorder;
  t.loop.run([&] {
    CallSlot* slot = t.calls.acquire(0, t.owner, recorder, CallKind::tool);
    for (const std::size_t size : {limits::kCallRetainedBytesMax, limits::kCallRetainedBytesMax + 1}) {
      t.calls.open_held(*slot);
      slot->ending.content.reserve(size);
      const bool kept = slot->ending.content.capacity() <= limits::kCallRetainedBytesMax;
      t.calls.end(t.calls.lock(slot->id.load(), t.owner));
      t.calls.settle(*slot);
      CHECK((slot->ending.content.capacity() >= size) == kept);
      REQUIRE(t.calls.acquire(0, t.owner, recorder, CallKind::tool) == slot);
    }
    t.calls.open_held(*slot);
    t.calls.end(t.calls.lock(slot->id.load(), t.owner));
    t.calls.settle(*slot);
  });
}

TEST_CASE("a large result is checked by the thread that ends the call, at the limit and one past it") {
  const auto schema = schema::Schema::compile_text(
      R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"}}},"required":["a"]})");
  REQUIRE(schema);
  const auto numbers = [](const char* first, std::size_t bytes) {
    std::string text = std::string(R"({"a":[)") + first + "]";
    text.resize(bytes - 1, ' ');
    return text + "}";
  };
  struct Case {
    std::string structured;
    bool checked;
    bool fits;
  };
  const Case cases[] = {{numbers("1", limits::kCheckedOnLoopBytesMax), false, true},
                        {numbers("1", limits::kCheckedOnLoopBytesMax + 1), true, true},
                        {numbers("\"x\"", limits::kCheckedOnLoopBytesMax + 1), true, false}};
  Table t;
  for (const Case& each : cases) {
    for (const bool on_loop : {false, true}) {
      Recorder recorder;
      CallId id = 0;
      t.loop.run([&] {
        CallSlot* slot = t.calls.acquire(0, t.owner, recorder, CallKind::tool);
        slot->output = &*schema;
        id = t.calls.open_waiting(*slot);
        t.calls.begin(*slot);
      });
      const auto end = [&] {
        LockedCall call = t.calls.lock(id, t.owner);
        call->ending.structured = each.structured;
        t.calls.end(std::move(call));
      };
      if (on_loop) {
        t.loop.run(end);
      } else {
        end();
      }
      const registry::Ending ending = recorder.wait_end();
      REQUIRE(ending.misfit.has_value() == (each.checked && !on_loop));
      if (ending.misfit) CHECK(ending.misfit->empty() == each.fits);
      CHECK(ending.structured == each.structured);
    }
  }
  t.loop.run([] {});
  CHECK(t.owner.calls_in_flight() == 0);
}
