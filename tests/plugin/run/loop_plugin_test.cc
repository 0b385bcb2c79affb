// A plugin that works on loops, through its life.
#include <sys/socket.h>
#include <unistd.h>

#include "house.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;
using registry::Ending;

namespace {

// What a call of "wait" waits for.
struct LoopGate {
  LoopGate() { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0); }
  ~LoopGate() {
    for (const int end : ends) close(end);
  }
  std::string arguments() const { return "{\"descriptor\":" + std::to_string(ends[0]) + "}"; }
  void open() const { REQUIRE(write(ends[1], "answer", 6) == 6); }

  int ends[2];
};

// In C and in C++.
std::string waiter() { return module_path(GENERATE("waiter", "waiter_cpp")); }

constexpr const char* kAnswered = R"({"type":"text","text":"answer"},{"type":"text","text":"here"})";

}  // namespace

TEST_CASE("a call waits on the loop that it came from, and ends there") {
  House house;
  REQUIRE(house.load(waiter()).error == "");
  for (const unsigned loop : {0u, 1u}) {
    LoopGate gate;
    Recorder recorder;
    REQUIRE(house.start_tool("wait", gate.arguments(), recorder, loop) != 0);
    gate.open();
    CHECK(recorder.wait_end().content == kAnswered);
  }
}

TEST_CASE("a generation that is replaced waits on its loops until its last call has ended") {
  House house;
  PluginSpec spec{.id = "p", .library = waiter()};
  REQUIRE(house.loader.load({spec})[0].error == "");
  LoopGate gate;
  Recorder recorder;
  house.start_tool("wait", gate.arguments(), recorder, 1);
  REQUIRE(house.loader.reload("p").error == "");
  CHECK(recorder.ends() == 0);
  gate.open();
  CHECK(recorder.wait_end().content == kAnswered);
}

TEST_CASE("a generation ends with watches and timers on its loops, and with a call that waits for ever") {
  LoopGate gate;
  Recorder recorder;
  {
    House house;
    REQUIRE(house.load(waiter()).error == "");
    house.start_tool("wait", gate.arguments(), recorder);
    CHECK(house.ends());
  }
  CHECK(recorder.wait_end().how == Ending::How::failed);
}

TEST_CASE("a generation ends when its loops have ended before it") {
  LoopGate gate;
  Recorder recorder;
  House house;
  REQUIRE(house.load(waiter()).error == "");
  house.start_tool("wait", gate.arguments(), recorder);
  for (const unsigned loop : {0u, 1u}) house.loop(loop).stop();
  house.registry.publish_to({});
  CHECK(house.ends(Loader::Loops::ended));
}
