// What a lane does for a remote that answers on a stream of its own, which the client's thread reads.
#include <sys/socket.h>
#include <unistd.h>

#include "client/remote/lane.h"

#include "plugins/client/lane_house.h"

namespace {

const std::string kAccepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
const std::string kResult = R"(result {"content":[]})";

// A remote over HTTP with SSE, to which one call is on its way. What its POST is answered with the test says.
struct Posted {
  SlowServer server;
  House house{server.port};
  collet_call call = 0;
  RequestId id = 0;

  explicit Posted(bool idempotent = false) {
    house.be_aside();
    call = house.begin(idempotent);
    REQUIRE(house.loops.turn_until([&] { return house.loops.watches() == 1; }));
    house.loops.turn();
    id = std::stoul(id_of(server.accept_and_read()));
  }
  void say(const std::string& response) {
    server.say(response);
    house.loops.turn();
    house.loops.turn();
  }
};

// Its child's stdin, and what has come there.
struct Stdin {
  int ends[2] = {-1, -1};
  std::shared_ptr<ChildInput> input;

  Stdin() {
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    input = std::make_shared<ChildInput>(ends[0], [] {});
  }
  ~Stdin() {
    for (const int end : ends) close(end);
  }
  std::vector<std::string> lines() const {
    char bytes[64u << 10];
    const ssize_t got = recv(ends[1], bytes, sizeof bytes, MSG_DONTWAIT);
    std::istringstream all(std::string(bytes, got > 0 ? static_cast<std::size_t>(got) : 0));
    std::vector<std::string> found;
    for (std::string line; std::getline(all, line);) found.push_back(line);
    return found;
  }
};

}  // namespace

TEST_CASE("a lane: a call whose POST is taken is answered aside, whichever comes first") {
  Posted posted;
  SECTION("the POST") {
    posted.say(kAccepted);
    CHECK(posted.house.ended.empty());
    CHECK(posted.house.gate->calls() == 1);
    posted.house.answer(posted.id);
  }
  SECTION("the answer") {
    posted.house.answer(posted.id);
    posted.say(kAccepted);
  }
  CHECK(posted.house.ended[posted.call] == kResult);
  CHECK(posted.house.gate->calls() == 0);
  CHECK(posted.house.loops.watches() == 1);  // the connection rests
  posted.house.answer(posted.id);  // which is nobody's by now
  CHECK(posted.house.strays.empty());
}

TEST_CASE("a lane: a POST that is refused loses its call alone") {
  Posted posted;
  posted.say(KeptServer::json("oh", "500 Oh"));
  CHECK(posted.house.ended[posted.call] == "-32603 remote r: HTTP status 500: oh");
  CHECK(posted.house.handed.empty());
}

TEST_CASE("a lane: a POST that the remote cannot have taken is made again by the client's thread") {
  const std::string status = GENERATE("404 Gone", "401 Who");
  KeptServer server([&](const std::string&) { return "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n"; });
  House house(server);
  house.be_aside();
  house.route->may_challenge = true;
  house.gate->open(house.route);
  CHECK(house.call() == "");
  CHECK(house.handed.at(0).how == How::begin);
  CHECK(house.handed[0].shuts);
}

TEST_CASE("a lane: with the stream of answers what was taken is lost, and what may not have been tells by itself") {
  const bool idempotent = GENERATE(false, true);
  CAPTURE(idempotent);
  Posted posted(idempotent);
  SECTION("taken") {
    posted.say(kAccepted);
    posted.house.lane->lose(posted.house.gate, 6, "another link's", true);
    CHECK(posted.house.gate->calls() == 1);
    posted.house.lane->lose(posted.house.gate, 7, "it has ended", false);
  }
  SECTION("taken after that") {
    posted.house.lane->lose(posted.house.gate, 7, "it has ended", false);
    CHECK(posted.house.gate->calls() == 1);
    posted.say(kAccepted);
  }
  SECTION("never heard of") {
    posted.house.lane->lose(posted.house.gate, 7, "it has ended", false);
    posted.house.lane->lose(posted.house.gate, 7, "it has ended", true);
  }
  CHECK(posted.house.gate->calls() == 0);
  REQUIRE(posted.house.handed.size() == (idempotent ? 1 : 0));
  if (idempotent) {
    CHECK(posted.house.handed[0].how == How::lose);
    CHECK(posted.house.handed[0].lost.sent);
  } else {
    CHECK(posted.house.ended[posted.call] == "-32603 remote r: it has ended");
  }
}

TEST_CASE("a lane: a call that goes on elsewhere and is answered aside leaves nothing here but its POST") {
  Posted posted;
  SECTION("taken") {
    posted.say(kAccepted);
    posted.house.lane->carry(posted.house.gate);
    CHECK(posted.house.carried_ends.empty());
  }
  SECTION("taken after that") {
    posted.house.lane->carry(posted.house.gate);
    posted.say(kAccepted);
    REQUIRE(posted.house.carried_ends.size() == 1);
    CHECK(posted.house.carried_ends[0].end.whole);
  }
  SECTION("refused after that") {
    posted.house.lane->carry(posted.house.gate);
    posted.say(KeptServer::json("oh", "500 Oh"));
    REQUIRE(posted.house.carried_ends.size() == 1);
    CHECK_FALSE(posted.house.carried_ends[0].end.whole);
    CHECK(posted.house.carried_ends[0].end.message == "HTTP status 500: oh");
  }
  REQUIRE(posted.house.handed.size() == 1);
  CHECK(posted.house.handed[0].how == How::carry);
  CHECK(posted.house.handed[0].request.id == posted.id);
  CHECK(posted.house.gate->calls() == 0);
  posted.house.answer(posted.id);
  CHECK(posted.house.strays.empty());
  CHECK(posted.house.ended.empty());
}

TEST_CASE("a lane: an answer aside that cannot be read loses its call") {
  Posted posted;
  posted.say(kAccepted);
  posted.house.lane->answer(posted.house.gate, posted.id, R"({"jsonrpc":"2.0","id":)" + std::to_string(posted.id) + R"(,"result":{)");
  CHECK_THAT(posted.house.ended[posted.call], Catch::Contains("its answer is no message"));
}

TEST_CASE("a lane: a call for a child is a line of its stdin") {
  House house(std::uint16_t{1});
  Stdin child;
  house.be_aside(child.input);
  const collet_call call = house.begin();
  const auto lines = child.lines();
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0], Catch::StartsWith(R"({"jsonrpc":"2.0","id":)") && Catch::EndsWith("}") && Catch::Contains("tools/call"));
  CHECK(house.loops.watches() == 0);
  house.answer(std::stoul(id_of(lines[0])));
  CHECK(house.ended[call] == kResult);
}

TEST_CASE("a lane: arguments that the client has laid out in lines are in one for a child") {
  House house(std::uint16_t{1});
  Stdin child;
  house.be_aside(child.input);
  IncomingCall call{.arguments = "{\n\"a\":\r\n1}"};
  REQUIRE(house.begin(call));
  const auto lines = child.lines();
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0], Catch::Contains(R"({ "a": )"));
}

TEST_CASE("a lane: lines of one turn go to the child together, but those of calls that have ended") {
  House house(std::uint16_t{1});
  Stdin child;
  house.be_aside(child.input);
  for (unsigned i = 0; i < 4; ++i) house.begin();
  CHECK(child.lines().size() == 1);
  house.lane->cancel(3, "enough");
  house.loops.turn(0);
  CHECK(child.lines().size() == 2);
  for (const auto& [request, reason] : house.cancelled) CHECK(reason == "enough");
  CHECK(house.cancelled.size() == 1);
  house.begin();
  house.lane->carry(house.gate);
  CHECK(child.lines().size() == 1);  // before they are handed over
  CHECK(house.handed.size() == 4);
}

TEST_CASE("a lane: what a child cannot be told is left to the client's thread") {
  House house(std::uint16_t{1});
  Stdin child;
  house.be_aside(child.input);
  house.begin();
  house.begin();
  child.input->close();
  house.loops.turn(0);
  REQUIRE(house.handed.size() == 1);
  CHECK(house.handed[0].how == How::begin);
  CHECK(house.handed[0].call.id == 2);
  house.lane->cancel(1, "enough");
  house.lane->on_turn_end();
  IncomingCall call{.arguments = "{}"};
  CHECK_FALSE(house.begin(call));
  CHECK(call.arguments == "{}");
  CHECK(house.gate->calls() == 0);
}

TEST_CASE("a lane: who wants to hear the log of a remote that has one stream goes by the client's thread") {
  House house(std::uint16_t{1});
  Stdin child;
  house.be_aside(child.input);
  house.route->sender.era = Era::modern;
  house.route->log_rank = 0;
  house.gate->open(house.route);
  house.fake.set_info("logLevel", "error");
  IncomingCall call{.arguments = "{}"};
  CHECK_FALSE(house.begin(call));
}

TEST_CASE("a lane: so many calls are in one, and no more") {
  House house(std::uint16_t{1});
  Stdin child;
  house.be_aside(child.input);
  IncomingCall call;
  for (unsigned i = 0; i < limits::kLaneCallsMax; ++i) {
    call = {.arguments = "{}"};
    REQUIRE(house.begin(call));
    house.loops.turn(0);
    child.lines();
  }
  call = {.arguments = "{}"};
  CHECK_FALSE(house.begin(call));
  house.lane->cancel(1, "enough");
  CHECK(house.begin(call));
}
