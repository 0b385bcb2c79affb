#include "plugin/run/own_threads.h"

#include <pthread.h>

#include "house.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;

namespace {

PluginSpec spec(const char* how) {
  return {.id = "p", .library = module_path("hostile_threads"), .config = R"({"how":")" + std::string(how) + "\"}"};
}

std::vector<LeftBehind> left_behind(House& house) {
  REQUIRE(becomes_true([&] { return house.loader.draining().empty(); }));
  return house.loader.left_behind();
}

}  // namespace

TEST_CASE("a library whose own threads still run stays mapped, and they are named") {
  const std::pair<const char*, const char*> cases[] = {
      {"pthread", "a thread that it has started still runs: stays"},
      {"std", "a thread that it has started still runs: stays"},
      {"nested", "a thread that it has started still runs: stays"},
      {"pthread std", "2 threads that it has started still run: stays, stays"},
  };
  for (const auto& [how, reason] : cases) {
    House house;
    REQUIRE(house.loader.load({spec(how)})[0].error == "");
    CHECK(house.loader.apply({}, false).size() == 1);
    const std::vector<LeftBehind> left = left_behind(house);
    REQUIRE(left.size() == 1);
    CHECK(left[0].stuck);
    CHECK(left[0].reason == reason);
    const std::vector<std::string> named = house.loader.shutdown(500, Loader::Loops::running);
    CHECK(named == std::vector<std::string>{"plugin p was not unloaded: " + std::string(reason)});
  }
}

TEST_CASE("a thread that a call has started counts, too, on a loop as elsewhere") {
  House house;
  PluginSpec inlined = spec("");
  inlined.library = module_path("hostile_threads_inline");
  REQUIRE(house.loader.load({inlined})[0].error == "");
  CHECK(house.loader.status()[0].runs_inline);
  CHECK(house.call_tool("start_thread").how == registry::Ending::How::completed);
  CHECK(OwnThreads::current() == nullptr);
  CHECK(house.loader.apply({}, false).size() == 1);
  REQUIRE(left_behind(house).size() == 1);
  CHECK(left_behind(house)[0].reason == "a thread that it has started still runs: stays");
  CHECK(house.loader.shutdown(500, Loader::Loops::running).size() == 1);
}

TEST_CASE("a thread that ends in time is waited for, with the destructors of its keys") {
  House house;
  REQUIRE(house.loader.load({spec("late")})[0].error == "");
  CHECK(house.loader.apply({}, false).size() == 1);
  CHECK(left_behind(house).empty());
  CHECK(house.ends());
}

TEST_CASE("a plugin that fails to begin and leaves a thread behind is not unmapped") {
  House house;
  const LoadReport report = house.loader.load({spec("fails")})[0];
  CHECK(report.error.find("its create() returned COLLET_E_INVALID (-1); a thread that it has started still runs") !=
        std::string::npos);
  CHECK(house.loader.left_behind().size() == 1);
  CHECK(house.loader.shutdown(500, Loader::Loops::running).size() == 1);
}

TEST_CASE("only threads that are started in a plugin's name are its own") {
  const auto plugin = std::make_shared<OwnThreads>();
  const auto start = [](void* (*body)(void*)) {
    pthread_t id;
    REQUIRE(pthread_create(&id, nullptr, body, nullptr) == 0);
    pthread_join(id, nullptr);
  };
  start([](void*) -> void* { return OwnThreads::current(); });
  CHECK(plugin->running() == 0);
  {
    const OwnThreads::Inside inside(plugin.get());
    start_thread("host", [] { CHECK(OwnThreads::current() == nullptr); }).join();
    std::atomic<unsigned> seen{0};
    std::thread([&] { seen = OwnThreads::current()->running(); }).join();
    CHECK(seen == 1);
  }
  CHECK(plugin->running() == 0);
  CHECK(OwnThreads::current() == nullptr);
}
