#include "client/remote/lanes.h"

#include "plugins/client/fake_loops.h"
#include "plugins/client/kept_server.h"
#include "support/catch.h"
#include "support/fake_host.h"

using namespace collet::client;

namespace {

// A host of two loops with the tool "r__t", whose remote is up.
struct Waiting final : LaneListener {
  fake::Host fake;
  collet_host table = *fake.table();
  FakeLoops loops;
  Host host{&table};
  HostLoops host_loops{&table, loops.table()};
  Loop loop;
  Publisher publisher{loop, host};
  RemoteConfig config;
  LaneGatePtr gate = std::make_shared<LaneGate>(2, [] {});
  std::map<collet_call, std::string> failed;
  std::vector<collet_call> sought;  // cancel_elsewhere()
  std::vector<HandedOver> handed;
  std::uint64_t key = 0;
  collet_call last = 0;
  Lanes lanes{host, host_loops, publisher, *this};

  static inline Waiting* of_test = nullptr;

  explicit Waiting(const KeptServer& server) {
    of_test = this;
    table.fail = [](const collet_host*, collet_call call, std::int32_t, const char* text, std::size_t size,
                    const char*, std::size_t) -> std::int32_t {
      of_test->failed[call] = std::string(text, size);
      return COLLET_OK;
    };
    config.name = "r";
    config.url = server.url();
    auto route = make_route(config, server.url(), {"127.0.0.1", server.port()}, "collet/1");
    gate->open(std::move(route));
    const auto item = std::make_shared<const RemoteItem>(RemoteItem{COLLET_TOOL, "t", "{}", false, {}});
    publisher.arrange({{.config = &config, .items = {item}, .instructions = {}, .gate = gate}}, 64);
    publisher.publish();
    key = reinterpret_cast<std::uint64_t>(fake.item("r__t").user);
  }

  void hand_over(HandedOver over) override { handed.push_back(std::move(over)); }
  std::vector<std::string> strays;
  void on_stray(LaneGatePtr, std::string text) override { strays.push_back(std::move(text)); }
  void on_carried(LaneRequest, std::string) override {}
  void on_carried_end(LaneRequest, CarriedEnd) override {}
  void on_cancelled(LaneRequest, const char*) override {}
  void cancel_elsewhere(collet_call call, const char*) override { sought.push_back(call); }

  bool take(IncomingCall call) {
    call.id = ++last;
    return lanes.take(call);
  }
};

// Takes requests and answers none: its threads end with their connections.
std::string never(const std::string&) { return "HTTP/1.1 100 Continue\r\n\r\n"; }

}  // namespace

TEST_CASE("lanes take calls that have come on a loop and whose remote's gate is open") {
  KeptServer server(never);
  Waiting house(server);
  CHECK(house.take({.key = house.key, .arguments = {}}));
  CHECK_FALSE(house.take({.key = house.key + 1, .arguments = {}}));
  CHECK_FALSE(house.take({.key = house.key, .round = 1, .arguments = {}}));
  house.loops.here = COLLET_E_STATE;
  CHECK_FALSE(house.take({.key = house.key, .arguments = {}}));
  house.loops.here = 1;
  CHECK(house.gate->calls() == 1);
  house.gate->shut();
  CHECK_FALSE(house.take({.key = house.key, .arguments = {}}));
}

TEST_CASE("a call is cancelled in the lane in which it is, from wherever") {
  KeptServer server(never);
  Waiting house(server);
  house.take({.key = house.key, .arguments = {}});
  house.lanes.cancel(1, "here");
  CHECK(house.failed[1] == "remote r: here");
  CHECK(house.sought.empty());

  house.take({.key = house.key, .arguments = {}});
  for (const int elsewhere : {1, COLLET_E_STATE}) {
    CAPTURE(elsewhere);
    const collet_call id = house.last;
    house.loops.here = elsewhere;
    house.lanes.cancel(id, "there");
    CHECK(house.failed.count(id) == 0);
    house.loops.here = 0;
    house.loops.turn();
    CHECK(house.failed[id] == "remote r: there");
    house.take({.key = house.key, .arguments = {}});
  }
}

TEST_CASE("a call that no lane has is sought elsewhere, also after each has looked") {
  KeptServer server(never);
  Waiting house(server);
  house.lanes.cancel(9, "no");
  const std::size_t at_once = house.sought.size();
  CHECK(at_once > 0);
  house.loops.turn();
  CHECK(house.sought.size() > at_once);
  CHECK(house.sought.front() == 9);
}

TEST_CASE("all calls through a gate are ended") {
  KeptServer server(never);
  Waiting house(server);
  house.take({.key = house.key, .arguments = {}});
  house.loops.here = 1;
  house.take({.key = house.key, .arguments = {}});
  house.lanes.end(house.gate, "it is gone");
  CHECK(house.failed.empty());
  house.loops.turn();
  CHECK(house.failed.size() == 2);
  CHECK(house.gate->calls() == 0);
}

TEST_CASE("what was posted and never run goes with the lanes") {
  KeptServer server(never);
  Waiting house(server);
  house.take({.key = house.key, .arguments = {}});
  house.lanes.end(house.gate, "too late");
  CHECK(house.failed.empty());
}

TEST_CASE("calls of all lanes are handed over while their responses come, and it is said when they have been") {
  KeptServer server(never);
  Waiting house(server);
  house.take({.key = house.key, .arguments = {}});
  house.loops.here = 1;
  house.take({.key = house.key, .arguments = {}});
  bool done = false;
  house.lanes.gather(house.gate, [&] { done = true; });
  CHECK_FALSE(done);
  house.loops.turn();
  CHECK(done);
  REQUIRE(house.handed.size() == 2);
  CHECK(house.handed[0].request.id != house.handed[1].request.id);
  for (const HandedOver& over : house.handed) {
    CHECK(over.how == HandedOver::How::carry);
    house.lanes.let_go(over.request.id);
  }
  CHECK(house.loops.watches() == 2);
  house.loops.turn();
  CHECK(house.loops.watches() == 0);
  CHECK(house.failed.empty());
}

TEST_CASE("what is said about a request goes to the lane that has it, and about others to none") {
  KeptServer server(never);
  Waiting house(server);
  const std::string text = R"({"jsonrpc":"2.0","method":"notifications/progress","params":{}})";
  const KeptMessage message(*parse_message(text));
  for (const RequestId nobodys : {RequestId{0}, RequestId{5}, RequestId{3} << 23, ~RequestId{0}}) house.lanes.tell(house.gate, nobodys, message);
  house.loops.turn();
}

TEST_CASE("what other threads want of a lane is done in one turn of its loop") {
  KeptServer server(never);
  Waiting house(server);
  house.take({.key = house.key, .arguments = {}});
  const RequestId id = RequestNumbers(1).next();
  const std::string text = R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"error":{"code":-5,"message":"no"}})";
  const std::size_t before = house.loops.posted();
  house.lanes.tell(house.gate, id, KeptMessage({.method = "notifications/progress", .params = "{}"}));
  house.lanes.answer(house.gate, id, text);
  house.lanes.answer(house.gate, id, text);  // which is nobody's by then
  house.lanes.answer(house.gate, RequestNumbers(0).next(), text);
  house.lanes.answer(house.gate, RequestNumbers(3).next(), text);  // there is no such lane
  CHECK(house.loops.posted() == before + 1);
  CHECK(house.failed.empty());
  house.loops.turn(0);
  CHECK(house.failed[1] == "no");
  CHECK(house.failed.size() == 1);
  CHECK(house.strays.empty());
}
