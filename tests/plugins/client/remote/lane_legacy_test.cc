// What a lane does for a remote of the legacy era.
#include "client/remote/lane.h"

#include "plugins/client/lane_house.h"

TEST_CASE("a lane: a legacy remote is spoken to in its session, as its era has it") {
  std::string seen;
  KeptServer server([&](const std::string& request) {
    seen = request;
    return result_of(request, R"({"resultType":"of its own"})");
  });
  House house(server);
  house.be_legacy();
  house.fake.set_info("_meta", R"({"traceparent":"00-1","progressToken":1})");
  CHECK(house.call() == R"(result {"resultType":"of its own"})");
  CHECK_THAT(seen, Catch::Contains("MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: s1\r\n") && !Catch::Contains("Mcp-Method"));
  CHECK_THAT(seen, Catch::EndsWith(R"("params":{"name":"t","arguments":{"a":1},)"
                                   R"("_meta":{"traceparent":"00-1","collet/hops":1,"progressToken":)" +
                                   id_of(seen) + "}}}"));
  CHECK(std::stoul(id_of(seen)) < 1ul << 31);  // some servers know no larger ones
}

TEST_CASE("a lane: who wants more of a legacy remote's log than it was asked for goes by the client's thread") {
  KeptServer server([](const std::string& request) { return result_of(request); });
  House house(server);
  house.route->log_rank = log_rank("warning");
  house.be_legacy();
  for (const auto& [level, by_lane] : {std::pair("error", true), {"warning", true}, {"notice", false}, {"debug", false}}) {
    CAPTURE(level);
    house.fake.set_info("logLevel", level);
    IncomingCall call{.arguments = "{}"};
    CHECK(house.begin(call) == by_lane);
  }
}

TEST_CASE("a lane: a legacy call whose remote asks something goes on elsewhere, with what still comes for it") {
  SlowServer server;
  House house(server.port);
  house.be_legacy();
  const collet_call call = house.begin_and_send();
  const std::string id = id_of(server.accept_and_read());
  server.say(kStreamHead + as_chunk("data: {\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"ping\"}\n\n"));
  REQUIRE(house.loops.turn_until([&] { return !house.strays.empty(); }));
  CHECK(house.handed.empty());
  const std::string question = R"({"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{}})";
  server.say(as_chunk("data: " + question + "\n\n"));
  REQUIRE(house.loops.turn_until([&] { return !house.carried.empty(); }));
  REQUIRE(house.handed.size() == 1);
  CHECK(house.handed[0].how == How::carry);
  CHECK(house.handed[0].call.id == call);
  CHECK(house.handed[0].request.link == 7);
  CHECK(std::to_string(house.handed[0].request.id) == id);
  CHECK(house.gate->calls() == 0);
  CHECK_FALSE(house.lane->cancel(call, "it is elsewhere"));

  const std::string answer = R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":{}})";
  server.say(as_chunk("id: e2\nretry: 9\ndata: " + answer + "\n\n") + "0\r\n\r\n");
  REQUIRE(house.loops.turn_until([&] { return !house.carried_ends.empty(); }));
  CHECK(house.carried == std::vector<std::string>{id + ": " + question, id + ": " + answer});
  CHECK(house.carried_ends[0].end.whole);
  CHECK(house.carried_ends[0].last_event_id == "e2");
  CHECK(house.carried_ends[0].retry_ms == 9);
  CHECK(house.ended.empty());
  CHECK(house.strays.size() == 1);
  CHECK(house.loops.watches() == 1);  // the connection rests
}

TEST_CASE("a lane: nobody waits any more for what it carries") {
  SlowServer server;
  House house(server.port);
  house.be_legacy();
  house.begin_and_send();
  server.accept_and_read();
  house.lane->carry(house.gate);
  REQUIRE(house.handed.size() == 1);
  house.lane->let_go(house.handed[0].request.id + 1);
  CHECK(house.loops.watches() == 1);
  house.lane->let_go(house.handed[0].request.id);
  CHECK(house.loops.watches() == 0);
  CHECK(house.carried_ends.empty());
  house.lane->let_go(house.handed[0].request.id);
}

TEST_CASE("a lane: a legacy stream that breaks off behind an event with an id can be gone on with, and no other") {
  for (const bool has_id : {false, true}) {
    CAPTURE(has_id);
    KeptServer server([&](const std::string&) {
      return kStreamHead + as_chunk(has_id ? "id: e1\nretry: 5\ndata: \n\n" : "data: \n\n") + "0\r\n\r\n";
    });
    House house(server);
    house.be_legacy();
    const std::string end = house.call();
    CHECK(end == (has_id ? "" : "-32603 remote r: its stream ended before the answer"));
    REQUIRE(house.carried_ends.size() == (has_id ? 1 : 0));
    if (!has_id) continue;
    CHECK(house.handed[0].how == How::carry);
    CHECK(house.carried_ends[0].last_event_id == "e1");
    CHECK(house.carried_ends[0].retry_ms == 5);
  }
}

TEST_CASE("a lane: the legacy remote of a cancelled call is told, a modern one sees its connection close") {
  for (const bool legacy : {false, true}) {
    CAPTURE(legacy);
    KeptServer server([](const std::string&) { return "HTTP/1.1 100 Continue\r\n\r\n"; });
    House house(server);
    if (legacy) house.be_legacy();
    const collet_call call = house.begin();
    CHECK(house.lane->cancel(call, "enough"));
    CHECK(house.ended[call] == "-32603 remote r: enough");
    CHECK(house.cancelled.size() == (legacy ? 1 : 0));
    CHECK(house.gate->calls() == 0);
  }
}

TEST_CASE("a lane: a lost session is for the client's thread, and a call that may have been made is not made again") {
  std::string body, status;
  KeptServer server([&](const std::string&) { return KeptServer::json(body, status); });
  House house(server);
  house.be_legacy();
  body = R"({"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}})";
  status = "404 Gone";
  CHECK(house.call() == "");
  CHECK(house.handed.back().how == How::begin);
  CHECK(house.handed.back().shuts);
  body = "the session has broken";
  status = "500 Oh";
  CHECK(house.call() == "");
  CHECK(house.handed.back().how == How::lose);
  CHECK(house.handed.back().lost.session_gone);
  CHECK(house.handed.back().lost.sent);
}

TEST_CASE("a lane: what is said aside about a call is told to its caller") {
  SlowServer server;
  House house(server.port);
  house.be_legacy();
  house.begin_and_send();
  const RequestId id = std::stoul(id_of(server.accept_and_read()));
  const std::string text = R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":3,"total":4}})";
  house.lane->tell(house.gate, id + 1, *parse_message(text));
  house.lane->tell(std::make_shared<LaneGate>(2, [] {}), id, *parse_message(text));  // by another remote
  CHECK(house.said.empty());
  house.lane->tell(house.gate, id, *parse_message(text));
  CHECK(house.said == "1:3/4 ");
}

TEST_CASE("a lane: a legacy remote that says more than the client's thread hears is not listened to any more") {
  SlowServer server;
  House house(server.port);
  house.be_legacy();
  house.begin_and_send();
  server.accept_and_read();
  house.lane->carry(house.gate);
  server.say(kStreamHead);
  const std::string much = as_chunk("data: " + std::string(1u << 20, 'x') + "\n\n");
  std::thread talker([&] {
    while (send(server.peer, much.data(), much.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  CHECK(house.loops.turn_until([&] { return !house.carried_ends.empty(); }));
  talker.join();
  CHECK(house.carried.size() <= limits::kMessageBytesMax >> 20);
  CHECK(house.carried_ends[0].end.message == "it says more than can be heard");
  CHECK(house.loops.watches() == 0);
}
