// Calls that take their time: progress, cancellation, deferred ends, questions for the client.
#define collet_plugin_entry_v1 call_test_entry
#include <atomic>
#include <collet/plugin.hpp>
#include <deque>

#include "support/catch.h"
#include "support/fake_host.h"

namespace {

// Ends on its own thread what tools leave with it.
class Worker {
 public:
  using Job = std::function<void(collet::PendingCall)>;

  Worker() : thread_([this] { run(); }) {}
  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void add(collet::PendingCall call, Job job) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.emplace_back(std::move(call), std::move(job));
    }
    wake_.notify_one();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      auto [call, job] = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job(std::move(call));
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::pair<collet::PendingCall, Job>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

struct Answer {
  int value;
};

struct Steps {
  int count;
};

struct Name {
  std::string name;
};

std::optional<collet::Items> items;          // of the plugin that is loaded
std::atomic<int> callbacks = 0;              // of on_cancel
std::optional<collet::PendingCall> pending;  // left by the tool "hold"

}  // namespace

COLLET_PLUGIN("org.example.calls", "1.0.0", plugin) {
  auto& worker = plugin.keep<Worker>();
  items = plugin.items();

  plugin.tool<Steps>("steps", "", [](const Steps& in, collet::Call& call) {
    for (int i = 1; i <= in.count; ++i) call.progress(i, in.count, "step " + std::to_string(i));
    call.log(collet::Level::warning, "all \"done\"");
    return in.count;
  });
  plugin.tool("who", "", [](collet::Call& call) {
    return std::string(call.info("principal").value_or("nobody")) + (call.cancelled() ? " cancelled" : "");
  });
  plugin.tool("time", "", [](collet::Call& call) { return call.deadline() ? call.deadline()->count() : -1; });
  plugin.tool("later", "", [&worker](collet::Call& call) {
    worker.add(call.defer(), [](collet::PendingCall mine) {
      mine.progress(1, 2);
      mine.finish(Answer{42});
    });
  });
  plugin.tool("later_error", "", [&worker](collet::Call& call) {
    worker.add(call.defer(), [](collet::PendingCall mine) { mine.fail(collet::ToolError("too late")); });
  });
  plugin.tool("later_rpc_error", "", [&worker](collet::Call& call) {
    worker.add(call.defer(), [](collet::PendingCall mine) { mine.fail(collet::RpcError(-32001, "gone")); });
  });
  plugin.tool("forgotten", "",
              [&worker](collet::Call& call) { worker.add(call.defer(), [](collet::PendingCall) {}); });
  plugin.tool("replaced", "", [](collet::Call& call) {
    pending = call.defer();
    return 5;  // ignored: the call is no longer the tool's to end
  });
  plugin.tool("hold", "", [](collet::Call& call) { pending = call.defer(); });
  plugin.tool("hold_and_throw", "", [](collet::Call& call) {
    pending = call.defer();
    throw std::runtime_error("after that");
  });
  plugin.tool("not_finite", "", [](collet::Call& call) {
    collet::PendingCall mine = call.defer();
    try {
      mine.finish(1.0 / 0.0);
    } catch (const collet::Error& error) {
      mine.fail(collet::ToolError(error.what()));
    }
  });
  plugin.tool("until_cancelled", "", [](collet::Call& call) {
    auto mine = std::make_shared<collet::PendingCall>(call.defer());
    mine->on_cancel([mine] {
      ++callbacks;
      mine->finish("stopped");
    });
  });
  plugin.tool("race", "", [&worker](collet::Call& call) {
    collet::PendingCall mine = call.defer();
    mine.on_cancel([] { ++callbacks; });
    worker.add(std::move(mine), [](collet::PendingCall taken) { taken.finish(1); });
  });
  plugin.tool("two_callbacks", "", [](collet::Call& call) {
    call.on_cancel([] {});
    call.on_cancel([] {});
    return 1;
  });
  plugin.tool<Name>("ask", "", [](const Name& in, collet::Call& call) -> std::string {
    if (call.round() == 0) {
      call.need_input("sure", {R"({"method":"elicitation/create","params":{}})"});
      call.suspend("asked for " + in.name, 3);
      return "ignored";
    }
    if (call.state_version() != 3) throw collet::StateNotUnderstood();
    return std::string(call.state()) + ": " + call.input_response("sure").value_or(collet::Json{"nothing"}).text +
           (call.input_response("other") ? " and more" : "");
  });
}

namespace {

struct Loaded {
  Loaded() {
    callbacks = 0;
    REQUIRE(host.load(call_test_entry()) == COLLET_OK);
  }
  ~Loaded() {
    pending.reset();
    host.unload();
    CHECK(host.misuse() == std::vector<std::string>());
  }
  fake::Host host;
};

}  // namespace

TEST_CASE_METHOD(Loaded, "a call tells how far it is, and logs") {
  const collet_call id = host.start({.name = "steps", .arguments = R"({"count":2})"});
  CHECK(host.wait(id).text() == "2");
  const auto progress = host.progress(id);
  REQUIRE(progress.size() == 2);
  CHECK(progress[1].done == 2);
  CHECK(progress[1].total == 2);
  CHECK(progress[1].message == "step 2");
  REQUIRE(host.logs().size() == 1);
  CHECK(host.logs()[0].call == id);
  CHECK(host.logs()[0].level == COLLET_LOG_WARNING);
  CHECK(host.logs()[0].data == R"("all \"done\"")");
}

TEST_CASE_METHOD(Loaded, "a call knows who calls, and how long it may take") {
  CHECK(host.call("who").text() == "nobody");
  host.set_info("principal", "ada");
  CHECK(host.call("who").text() == "ada");
  CHECK(host.call("time").text() == "-1");
  CHECK(host.send({.name = "time", .deadline_ms = 250}).text() == "250");
  host.cancel_next();
  CHECK(host.call("who").text() == "ada cancelled");
}

TEST_CASE_METHOD(Loaded, "a deferred call ends on another thread") {
  const fake::Ended later = host.call("later");
  CHECK(later.text() == R"({"value":42})");
  CHECK(later.structured == R"({"value":42})");
  CHECK(host.call("later_error").text() == "error: too late");
  CHECK(host.call("later_rpc_error").text() == "failed -32001: gone");
}

TEST_CASE_METHOD(Loaded, "a deferred call that nobody ends fails") {
  CHECK(host.call("forgotten").text() == "error: the tool ended without an answer");
  const collet_call id = host.start({.name = "hold"});
  pending.reset();
  CHECK(host.wait(id).text() == "error: the tool ended without an answer");
}

TEST_CASE_METHOD(Loaded, "a deferred call can be given away and replaced") {
  const collet_call first = host.start({.name = "replaced"});
  const collet_call second = host.start({.name = "replaced"});
  CHECK(host.wait(first).text() == "error: the tool ended without an answer");
  pending->finish("second");
  CHECK(host.wait(second).text() == "second");
}

TEST_CASE_METHOD(Loaded, "what a tool throws after deferring does not end the call, but is logged") {
  const collet_call id = host.start({.name = "hold_and_throw"});
  REQUIRE(host.logs().size() == 1);
  CHECK(host.logs()[0].data == "\"after that\"");
  pending->finish();
  CHECK(host.wait(id).how == fake::Ended::How::completed);
}

TEST_CASE_METHOD(Loaded, "a result that JSON cannot say leaves a deferred call open") {
  CHECK(host.call("not_finite").text() == "error: the result is not a finite number");
}

TEST_CASE_METHOD(Loaded, "cancelling runs the callback, which may end the call") {
  const collet_call id = host.start({.name = "until_cancelled"});
  std::thread([&] { host.cancel(id); }).join();
  CHECK(host.wait(id).text() == "stopped");
  host.cancel(id);
  CHECK(callbacks == 1);
}

TEST_CASE_METHOD(Loaded, "a call that was cancelled before it began runs its callback at once") {
  host.cancel_next();
  CHECK(host.call("until_cancelled").text() == "stopped");
  CHECK(callbacks == 1);
}

TEST_CASE_METHOD(Loaded, "cancelling races with the end of the call") {
  int before = 0;
  for (int i = 0; i < 300; ++i) {
    const collet_call id = host.start({.name = "race"});
    host.cancel(id);
    CHECK(host.wait(id).text() == "1");
    const int after = callbacks;  // none runs once the call has ended
    CHECK(after - before <= 1);
    host.cancel(id);
    CHECK(callbacks == after);
    before = after;
  }
}

TEST_CASE_METHOD(Loaded, "the end of a call waits for a callback that runs") {
  std::mutex mutex;
  std::condition_variable changed;
  bool running = false, released = false;
  std::atomic<bool> left = false;
  const collet_call id = host.start({.name = "hold"});
  pending->on_cancel([&] {
    std::unique_lock lock(mutex);
    running = true;
    changed.notify_all();
    changed.wait(lock, [&] { return released; });
    left = true;
  });
  std::thread canceller([&] { host.cancel(id); });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return running; });
  }
  std::thread ender([&] {
    pending->finish("over");
    CHECK(left);
  });
  {
    const std::lock_guard lock(mutex);
    released = true;
  }
  changed.notify_all();
  canceller.join();
  ender.join();
  CHECK(host.wait(id).text() == "over");
}

TEST_CASE_METHOD(Loaded, "a second cancel callback is refused") {
  CHECK(host.call("two_callbacks").text() == "error: on_cancel() is for one callback a call");
}

TEST_CASE_METHOD(Loaded, "a call asks the client and comes back with the answer") {
  const fake::Request request{.name = "ask", .arguments = R"({"name":"x"})"};
  const fake::Ended asked = host.send(request);
  CHECK(asked.text() == "suspended");
  CHECK(asked.questions.at("sure") == R"({"method":"elicitation/create","params":{}})");
  CHECK(asked.state == "asked for x");
  CHECK(host.resume(request, asked, R"({"sure":{"action":"accept"}})").text() ==
        R"(asked for x: {"action":"accept"})");
  CHECK(host.resume(request, asked, R"({"other":1})").text() == "asked for x: nothing and more");
}

TEST_CASE_METHOD(Loaded, "a state that is not understood starts the call again") {
  const fake::Request request{.name = "ask", .arguments = R"({"name":"x"})"};
  fake::Ended asked = host.send(request);
  asked.state_version = 2;
  CHECK(host.resume(request, asked, "{}").text() == "refused " + std::to_string(COLLET_E_STATE));
}

TEST_CASE_METHOD(Loaded, "a question that the client cannot be asked is an error result") {
  host.refuse_name("sure", COLLET_E_UNSUPPORTED);
  CHECK(host.call("ask", R"({"name":"x"})").text() ==
        "error: cannot ask the client for input: not supported by this host or client");
}

TEST_CASE_METHOD(Loaded, "items come and go while the plugin runs") {
  const collet_item item = items->tool<Name>("hello", "", [](const Name& in) { return "hello " + in.name; });
  CHECK_THROWS(host.item("hello"));
  items->commit();
  CHECK(host.call("hello", R"({"name":"you"})").text() == "hello you");
  items->remove(item);
  CHECK(host.call("hello", R"({"name":"you"})").text() == "hello you");
  const fake::Item removed = host.item("hello");
  items->commit();
  CHECK_THROWS(host.item("hello"));
  CHECK(host.call_item(removed, "{}").text() == "error: this item has been removed");
  items->resource_updated("test://x");
  CHECK(host.updated() == std::vector<std::string>{"test://x"});
  CHECK_THROWS_WITH(items->remove(item), "cannot remove an item: it is gone");
}

TEST_CASE_METHOD(Loaded, "an item that came later completes its arguments too") {
  items->prompt<Name>("greet", "", [](const Name& in) { return in.name; },
                      {.complete = [](std::string_view, std::string_view typed, collet::Call&) {
                        return std::vector<std::string>{std::string(typed) + "da"};
                      }});
  items->commit();
  const std::string argument = R"({"argument":{"name":"name","value":"a"}})";
  CHECK(host.send({.kind = COLLET_COMPLETE, .name = "greet", .arguments = argument}).text() == "ada");
}

TEST_CASE_METHOD(Loaded, "items are added and removed from several threads while calls run") {
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 30; ++i) {
        const std::string name = std::to_string(t) + "." + std::to_string(i);
        const collet_item item = items->tool(name, "", [name] { return name; });
        items->commit();
        if (host.call(name).text() != name) throw std::runtime_error("the wrong tool answers");
        items->remove(item);
        items->commit();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(host.call("who").text() == "nobody");
}
