// Every extension there is, used or offered by a plugin.
#include <filesystem>
#include <set>
#include <thread>

#include "house.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;
using registry::Ending;
using registry::Kind;

namespace {

// In C and in C++.
PluginSpec spec() { return {.id = "p", .library = module_path(GENERATE("extended", "extended_cpp")), .placement = kTestPlacement}; }

// A plugin that keeps account of what it was told.
struct Extended {
  explicit Extended(LoaderOptions options = test_options()) : house(std::move(options)) {
    REQUIRE(house.loader.load({spec})[0].error == "");
  }

  std::string said() {
    const std::string content = house.call_tool("said").content;
    json::Document block;
    REQUIRE_FALSE(json::parse(content, block));
    return std::string(json::find_string(block, "text").value_or(""));
  }
  // Lets status() begin in that thread and not return.
  void hold_status(std::thread& asking, std::function<void(std::string health)> asked) {
    house.call_tool("hold");
    asking = std::thread([&loader = house.loader, asked = std::move(asked)] { asked(loader.health("p")); });
    REQUIRE(becomes_true([&] { return said().find("status ;") != std::string::npos; }));
  }
  Ending relay(CallKind kind, Kind item, const char* name, std::string_view result) {
    registry::Call call;
    call.kind = kind;
    call.arguments = result;
    Recorder recorder;
    house.start(item, name, call, recorder);
    return recorder.wait_end();
  }

  const PluginSpec spec = ::spec();
  House house;
};

}  // namespace

TEST_CASE("each extension that the SDK has is tried here") {
  const std::set<std::string> tried{"instructions.h", "loop.h",   "reconfigure.h", "relay.h",
                                    "save_state.h",   "status.h", "stream.h",      "watch.h",
                                    "registry.h",     "tools.h",    // these two in peers_test.cc
                                    "http.h",                       // in routes_test.cc
                                    "events.h",       "store.h",    // these two in keeping_test.cc
                                    "fetch.h",                      // in fetches_test.cc
                                    "remotes.h"};                   // in elf_glance_test.cc, and by the plugin that has it
  std::set<std::string> there;
  for (const auto& header : std::filesystem::recursive_directory_iterator(COLLET_TEST_EXTENSIONS)) {
    if (header.is_regular_file()) there.insert(header.path().filename());
  }
  CHECK(there == tried);
}

TEST_CASE("collet.relay/1: a whole result of any kind reaches the client as it is") {
  Extended extended;
  const Ending tool = extended.relay(
      CallKind::tool, Kind::tool, "relay",
      R"({"content":[{"type":"text","text":"é"},{"type":"text","text":"","n":1.50}],"structuredContent":{"a" :1.0},)"
      R"("isError":true,"_meta":{"x.y/z":[1]},"more":{"a": "}]"}})");
  CHECK(tool.how == Ending::How::completed);
  CHECK(tool.content == R"({"type":"text","text":"é"},{"type":"text","text":"","n":1.50})");
  CHECK(tool.structured == R"({"a" :1.0})");
  CHECK(tool.is_error);
  CHECK(tool.meta == R"({"x.y/z":[1]})");
  CHECK(tool.fields == R"("more":{"a": "}]"})");
  const Ending resource = extended.relay(CallKind::resource, Kind::resource, "extended://relay",
                                         R"({"contents":[{"uri":"a","text":"b"}]})");
  CHECK(resource.content == R"({"uri":"a","text":"b"})");
  const Ending prompt =
      extended.relay(CallKind::prompt, Kind::prompt, "relay", R"({"messages":[],"description":"d"})");
  CHECK(prompt.content.empty());
  CHECK(prompt.fields == R"("description":"d")");
  const Ending bad = extended.relay(CallKind::tool, Kind::tool, "relay", R"({"content":1})");
  CHECK(bad.message == "plugin p: complete_with(): the result's content is not what this kind of call has");
}

TEST_CASE("collet.instructions/1: what a plugin has to tell clients is there, and goes with it") {
  Extended extended;
  Loader& loader = extended.house.loader;
  CHECK(loader.instructions(all_plugins) == "as created");
  registry::Call call;
  call.arguments = R"({"text":"later"})";
  Recorder recorder;
  extended.house.start(Kind::tool, "instruct", call, recorder);
  CHECK(recorder.wait_end().how == Ending::How::completed);
  CHECK(loader.instructions(all_plugins) == *call.arguments);
  REQUIRE(loader.reload("p").ok());
  CHECK(loader.instructions(all_plugins) == "as created");
}

TEST_CASE("collet.stream/1: the client of a call is let go") {
  Extended extended;
  Recorder recorder;
  extended.house.start_tool("stream", "{}", recorder);
  CHECK(recorder.wait_end().how == Ending::How::completed);
  CHECK(recorder.notices() == std::vector<std::string>{"close stream 250"});
}

TEST_CASE("collet.status/1: what a plugin says of its health can be asked for") {
  Extended extended;
  CHECK(extended.house.loader.health("p") == R"({"mood":"good"})");
  REQUIRE(extended.house.load(module_path("sample")).ok());
  CHECK(extended.house.loader.health("p1").empty());
}

TEST_CASE("collet.status/1: the host hears that a plugin's health has changed, and that its worker is gone") {
  std::atomic<int> changes = 0;
  LoaderOptions options = test_options();
  options.status_changed = [&] { ++changes; };
  {
    Extended extended(options);
    extended.house.call_tool("changed");
    REQUIRE(becomes_true([&] { return changes == 1; }));
    extended.house.call_tool("said");
    CHECK(changes == 1);
    if (!in_worker()) return;
    extended.house.call_tool("crash");
    REQUIRE(becomes_true([&] { return changes >= 2; }));
  }
}

TEST_CASE("collet.status/1: a plugin that takes its time to answer holds up nobody but who asked") {
  Extended extended;
  Loader& loader = extended.house.loader;
  std::string health;
  std::thread asking;
  extended.hold_status(asking, [&](std::string said) { health = std::move(said); });
  CHECK(loader.instructions(all_plugins) == "as created");
  loader.watch("a://b", true);
  CHECK(loader.status().size() == 1);
  CHECK(loader.load({{.id = "other", .library = module_path("sample")}})[0].error == "");
  extended.house.call_tool("let_go");
  asking.join();
  CHECK(health == R"({"mood":"good"})");
}

TEST_CASE("collet.status/1: a plugin that does not answer is left mapped when it is replaced") {
  if (in_worker()) return;  // it answers for its worker that does not
  LoaderOptions options = test_options();
  options.destroy_timeout_ms = 100;
  Extended extended(options);
  Loader& loader = extended.house.loader;
  std::thread asking;
  extended.hold_status(asking, [](const std::string&) {});
  asking.detach();
  CHECK(loader.reload("p").ok());
  CHECK(loader.health("p") == R"({"mood":"good"})");
  REQUIRE(becomes_true([&] { return loader.left_behind().size() == 1; }));
  CHECK(loader.left_behind()[0].reason == "its status() has not returned");
}

TEST_CASE("collet.watch/1: a plugin hears what clients watch, also its next generation") {
  Extended extended;
  Loader& loader = extended.house.loader;
  loader.watch("a://b", true);
  loader.watch("c://d", true);
  loader.watch("a://b", false);
  CHECK(extended.said() == "watch a://b;watch c://d;unwatch a://b;");
  REQUIRE(loader.reload("p").ok());
  CHECK(extended.said().find("watch c://d;", 1) != std::string::npos);
}

TEST_CASE("collet.save-state/1: the next generation gets what the one before has left") {
  Extended extended;
  extended.house.loader.watch("a://b", true);
  extended.house.loader.watch("a://b", false);
  REQUIRE(extended.house.loader.reload("p").ok());
  CHECK(extended.said() == "prior watch a://b;unwatch a://b;;");
}

TEST_CASE("collet.reconfigure/1: a plugin takes a new configuration as it runs") {
  Extended extended;
  PluginSpec changed = extended.spec;
  changed.config = R"({"a":1})";
  const LoadReport report = extended.house.loader.apply({changed}, false).at(0);
  CHECK(report.done == LoadReport::Done::reconfigured);
  CHECK(report.generation == 1);
  CHECK(extended.said() == R"(config {"a":1};)");
}

TEST_CASE("collet.loop/1: offered where the host's loops call the plugin") {
  House house;
  const std::string problem = house.load(module_path(GENERATE("waiter", "waiter_cpp"))).error;
  if (in_worker()) {
    CHECK_THAT(problem, Catch::Contains("create() returned"));
  } else {
    CHECK(problem == "");
  }
}
