#include "plugin/run/generation.h"

#include "house.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;
using registry::Ending;
using registry::Kind;

TEST_CASE("a call that call() refuses is ended by the host") {
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  const Ending ending = house.call_tool("refuse");
  CHECK(ending.how == Ending::How::failed);
  CHECK(ending.message == "plugin p1: call() returned COLLET_E_UNSUPPORTED (-6)");
}

TEST_CASE("resources and prompts are answered in their own shape") {
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  registry::Call call;
  call.arguments = "x";
  call.kind = CallKind::resource;
  call.name = "sample://data?1";
  Recorder read;
  house.start(Kind::resource, "sample://data", call, read);
  CHECK(read.wait_end().content == R"({"uri":"sample://data?1","text":"x"})");
  call.kind = CallKind::prompt;
  Recorder greet;
  house.start(Kind::prompt, "greet", call, greet);
  CHECK(greet.wait_end().content == R"({"role":"user","content":{"type":"text","text":"x"}})");
}

TEST_CASE("what a call reports is heard before its end, of an inline one at once") {
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  Recorder recorder;
  const CallId id = house.start_tool("report", "{}", recorder);
  if (!in_worker()) CHECK(id == 0);
  recorder.wait_end();
  CHECK(recorder.notices() ==
        std::vector<std::string>{"progress 1/2 half", "log 5 sample {\"a\": 1}", "progress 2/2 "});
}

TEST_CASE("what an author says of an item is known in the host as it was said") {
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  const registry::SnapshotPtr snapshot = house.registry.current();
  CHECK(snapshot->find(Kind::tool, "queued_echo")->def->traits.unchecked);
  CHECK_FALSE(snapshot->find(Kind::tool, "echo")->def->traits.unchecked);
}

TEST_CASE("of a definition that is wrong in part the rest is served") {
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  const registry::SnapshotPtr snapshot = house.registry.current();
  CHECK_THAT(snapshot->find(Kind::tool, "refuse")->def->definition, Catch::StartsWith(R"({"inputSchema":)"));
  REQUIRE(snapshot->mended().size() == 1);
  CHECK(snapshot->mended()[0].left_out == "/description [type] must be string, got null");
}

TEST_CASE("a call that asks for input comes back with the answers; with a state it does not know it starts again") {
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  const Ending asked = house.call_tool("ask");
  REQUIRE(asked.how == Ending::How::suspended);
  REQUIRE(asked.input_requests.size() == 1);
  CHECK(asked.input_requests[0].request == R"({"method":"elicitation/create", "params":{}})");

  registry::Call call;
  call.round = 1;
  call.state = asked.state;
  call.state_version = asked.state_version;
  call.input_responses = R"({"name":{}})";
  Recorder recorder;
  house.start(Kind::tool, "ask", call, recorder);
  CHECK(recorder.wait_end().content == R"({"type":"text","text":"{\"name\":{}}"})");

  call.state_version = 6;
  Recorder again;
  house.start(Kind::tool, "ask", call, again);
  CHECK(again.wait_end().how == Ending::How::suspended);
}

TEST_CASE("a call knows how much time it has left") {
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  const auto left = [&](const char* tool, std::uint64_t timeout_ms) {
    registry::Call call;
    call.timeout_ms = timeout_ms;
    Recorder recorder;
    house.start(Kind::tool, tool, call, recorder);
    return std::stoull(recorder.wait_end().structured);
  };
  CHECK(left("deadline", 0) == 0);
  CHECK(left("deadline", 5'000) == 5'000);
  CHECK(left("queued_deadline", 0) == 0);
  CHECK(left("queued_deadline", 60'000) > 30'000);
  CHECK(left("queued_deadline", 60'000) <= 60'000);
  CHECK(left("queued_deadline", 1) == 1);  // never 0, which would be no limit
}

TEST_CASE("a call that waits for an executor and is cancelled never reaches the plugin") {
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  std::vector<Recorder> recorders(3);
  house.start_tool("slow", "{}", recorders[0]);  // three times too slow: it holds the only executor from now on
  house.start_tool("slow", "{}", recorders[1]);
  house.start_tool("slow", "{}", recorders[2]);
  Recorder busy;
  Recorder waiting;
  house.loop(0).run([&] {
    const auto snapshot = house.registry.current();
    const auto start = [&](const char* name, registry::Listener& listener) {
      const registry::Item* item = snapshot->find(Kind::tool, name);
      registry::Call call;
      call.handle = item->def->handle;
      return item->provider->start(call, listener);
    };
    start("slow", busy);
    const CallId id = start("queued_echo", waiting);
    snapshot->find(Kind::tool, "slow")->provider->cancel(id, registry::CancelReason::client);
  });
  CHECK(waiting.wait_end().message == "the call was cancelled before it began");
  busy.wait_end();
}

TEST_CASE("blobs reach the result") {
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  CHECK(house.call_tool("picture").content == R"({"type":"image","mimeType":"image/png","data":"YWJj"})");
}

TEST_CASE("items that a plugin adds while it runs appear") {
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  CHECK_FALSE(house.registry.current()->find(Kind::tool, "grown"));
  house.call_tool("grow");
  REQUIRE(house.registry.current()->find(Kind::tool, "grown"));
  CHECK(house.call_tool("grown", "1").content == R"({"type":"text","text":"1"})");
}

TEST_CASE("a running call is cancelled, and ends when the plugin ends it") {
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  Recorder recorder;
  const CallId id = house.start_tool("hold", "{}", recorder);
  recorder.wait_notices(1);
  house.cancel("hold", id + 1, registry::CancelReason::client);  // names nothing
  CHECK(recorder.ends() == 0);
  house.cancel("hold", id, registry::CancelReason::deadline);
  const Ending ending = recorder.wait_end();
  CHECK(ending.is_error);
  CHECK(ending.content == R"({"type":"text","text":"2"})");
  house.cancel("hold", id, registry::CancelReason::client);
  CHECK(recorder.ends() == 1);
}

TEST_CASE("an item that overruns its budget on a loop moves to an executor for good") {
  if (in_worker()) return;  // the loop is the worker's
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  for (unsigned i = 0; i < limits::kInlineOverrunsMax; ++i) {
    Recorder recorder;
    CHECK(house.start_tool("slow", "{}", recorder) == 0);
  }
  Recorder recorder;
  CHECK(house.start_tool("slow", "{}", recorder) != 0);
  recorder.wait_end();
  Recorder other;
  CHECK(house.start_tool("echo", "{}", other) == 0);  // its neighbours stay
}

TEST_CASE("calls from two loops are answered each on its own") {
  House house;
  REQUIRE(house.load(module_path("sample_concurrent")).ok());
  constexpr unsigned kCalls = 200;
  std::vector<Recorder> recorders(kCalls);
  for (unsigned i = 0; i < kCalls; ++i) {
    const char* tools[] = {"echo", "queued_echo"};
    house.start_tool(tools[i / 2 % 2], std::to_string(i), recorders[i], i % 2);
  }
  for (unsigned i = 0; i < kCalls; ++i) {
    CHECK(recorders[i].wait_end().content == fmt::format(R"({{"type":"text","text":"{}"}})", i));
  }
}
