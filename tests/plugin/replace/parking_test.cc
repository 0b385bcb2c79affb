#include "plugin/replace/parking.h"

#include "house.h"
#include "registry/principal.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;
using registry::Ending;

TEST_CASE("a loop parks as many calls as it may, and refuses one more") {
  RunningLoop loop;
  Parking parking("p", {&loop.get()});
  registry::ItemDef tool;
  tool.name = "tool";
  const std::vector<registry::ItemDef> items = parking.stand_in_for({tool});
  std::vector<Recorder> parked(limits::kParkedCallsMax);
  Recorder refused;
  loop.run([&] {
    registry::Call call;
    call.handle = items[0].handle;
    for (Recorder& recorder : parked) CHECK(parking.start(call, recorder) != 0);
    CHECK(parking.start(call, refused) == 0);
  });
  CHECK(refused.wait_end().message == "plugin p: it is being replaced, and more than 4096 calls wait for that");
  CHECK_FALSE(parking.idle());

  const Adoption released;
  parking.release([](registry::Kind, const std::string&) -> Parking::Place { return {}; }, "it is gone",
                  [released] { released.arrive(); });
  released.wait();
  CHECK(parking.idle());
  for (Recorder& recorder : parked) {
    const Ending ending = recorder.wait_end();
    CHECK(ending.how == Ending::How::failed);
    CHECK(ending.message == "it is gone");
  }
}

TEST_CASE("a call that was parked says what it says, and is given what came with it") {
  struct Speaker final : registry::Provider {
    const schema::Schema* output = nullptr;
    const registry::PrincipalPtr* principal = nullptr;
    unsigned depth = 0;
    registry::CallId start(const registry::Call& call, registry::Listener& listener) override {
      output = call.output;
      principal = call.principal;
      depth = call.depth;
      listener.on_progress({.done = 1, .total = 2, .message = "half"});
      listener.on_log({.severity = 4, .logger = "l", .data = "1"});
      listener.on_close_stream(50);
      Ending ending;
      ending.content = "said";
      listener.on_end(ending);
      return 0;
    }
    void cancel(registry::CallId, registry::CancelReason) override {}
  };
  const auto schema = schema::Schema::compile_text("{}");
  REQUIRE(schema);
  RunningLoop loop;
  Parking parking("p", {&loop.get()});
  registry::ItemDef tool;
  tool.name = "tool";
  const std::vector<registry::ItemDef> items = parking.stand_in_for({tool});
  Speaker speaker;
  const registry::PrincipalPtr caller;
  Recorder recorder;
  loop.run([&] {
    registry::Call call;
    call.handle = items[0].handle;
    call.output = &*schema;
    call.principal = &caller;
    call.depth = 3;
    CHECK(parking.start(call, recorder) != 0);
  });
  const Adoption released;
  parking.release([&](registry::Kind, const std::string&) -> Parking::Place { return {&speaker, 0}; }, "it is gone",
                  [released] { released.arrive(); });
  released.wait();
  CHECK(recorder.wait_end().content == "said");
  CHECK(recorder.notices() == std::vector<std::string>{"progress 1/2 half", "log 4 l 1", "close stream 50"});
  CHECK(speaker.output == &*schema);
  CHECK(speaker.principal == &caller);
  CHECK(speaker.depth == 3);
}
