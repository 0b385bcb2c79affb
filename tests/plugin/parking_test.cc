#include "plugin/parking.h"

#include "house.h"
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
