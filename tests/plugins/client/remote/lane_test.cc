#include "client/remote/lane.h"

#include "plugins/client/lane_house.h"

TEST_CASE("a lane: calls end on their loop, one connection carries them one after the other") {
  std::string seen;
  KeptServer server([&](const std::string& request) {
    seen = request;
    return result_of(request);
  });
  House house(server);
  house.fake.set_info("_meta", R"({"traceparent":"00-1"})");
  CHECK(house.call() == R"(result {"content":[]})");
  CHECK(house.call() == R"(result {"content":[]})");
  CHECK(server.accepted() == 1);
  CHECK(house.handed.empty());
  CHECK(seen.starts_with("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:"));
  CHECK_THAT(seen, Catch::Contains("MCP-Protocol-Version: 2026-07-28\r\n") &&
                       Catch::Contains("Mcp-Method: tools/call\r\nMcp-Name: t\r\n"));
  CHECK_THAT(seen, Catch::EndsWith(R"("method":"tools/call","params":{"name":"t","arguments":{"a":1},)"
                                   R"("_meta":{"stamp":true,"io.modelcontextprotocol/clientCapabilities":{},)"
                                   R"("traceparent":"00-1","collet/hops":1}}})"));
}

TEST_CASE("a lane: as many connections as there are calls at a time") {
  HeldServer held;
  House house(held.server);
  house.begin();
  house.begin();
  REQUIRE(house.loops.turn_until([&] { return held.server.accepted() == 2; }));
  held.barrier.let_go();
  CHECK(house.loops.turn_until([&] { return house.ended.size() == 2; }));
}

TEST_CASE("a lane: progress and other words on a response stream, and its connection is kept") {
  KeptServer server([](const std::string& request) {
    const std::string about = R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":)";
    return kStreamHead + as_chunk("data: " + about + id_of(request) + R"(,"progress":1,"total":2}})" + "\n\n") +
           as_chunk("data: " + about + R"(7,"progress":9}})" + "\n\n") +
           as_chunk("data: " + answer_to(request, R"("result":{"a":1})") + "\n\n") +
           as_chunk("data: {\"jsonrpc\":\"2.0\",\"method\":\"late\"}\n\n") + "0\r\n\r\n";
  });
  House house(server);
  house.fake.set_info("_meta", R"({"progressToken":"of the caller"})");
  CHECK(house.call() == R"(result {"a":1})");
  CHECK(house.said == "1:1/2 ");
  REQUIRE(house.strays.size() == 1);
  CHECK_THAT(house.strays[0], Catch::Contains(R"("progressToken":7)"));
  house.loops.turn();
  CHECK(house.call() == R"(result {"a":1})");
  CHECK(server.accepted() == 1);
}

TEST_CASE("a lane: what needs more than an answer is handed over with it") {
  std::string members;
  KeptServer server([&](const std::string& request) { return KeptServer::json(answer_to(request, members)); });
  House house(server);
  for (const char* each :
       {R"("result":{"resultType":"input_required","requestState":"s"})",
        R"("error":{"code":-32020,"message":"headers"})", R"("error":{"code":-32021,"message":"tasks"})"}) {
    CAPTURE(each);
    members = each;
    CHECK(house.call() == "");
    const HandedOver& over = house.handed.back();
    CHECK(over.how == How::settle);
    CHECK_FALSE(over.shuts);
    CHECK_THAT(over.answer, Catch::Contains(each));
    CHECK(over.call.id == house.last);
  }
  members = R"("error":{"code":-32602,"message":"no such tool"})";
  CHECK(house.call() == "-32602 no such tool");
}

TEST_CASE("a lane: answers of any other kind fail the call in words") {
  std::string response;
  KeptServer server([&](const std::string&) { return response; });
  House house(server);
  response = KeptServer::json("gone away", "500 Oh");
  CHECK(house.call() == "-32603 remote r: HTTP status 500: gone away");
  response = KeptServer::json(R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"bad"}})", "400 Bad");
  CHECK(house.call() == "-32600 bad");
  response = KeptServer::json(R"({"jsonrpc":"2.0","id":1,"result":{}})");
  CHECK(house.call() == "-32603 remote r: its answer is none to this request");
  response = KeptServer::json("no JSON");
  CHECK_THAT(house.call(), Catch::StartsWith("-32603 remote r: its answer is no message: "));
  CHECK(house.strays == std::vector<std::string>{"no JSON"});
  response = kStreamHead + "0\r\n\r\n";
  CHECK(house.call() == "-32603 remote r: its stream ended before the answer");
  response = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {";
  const collet_call cut = house.begin();
  house.loops.turn_until([&] { return server.open() == 2; });
  house.loops.turn();
  server.hang_up();
  REQUIRE(house.loops.turn_until([&] { return house.ended.count(cut) > 0; }));
  CHECK(house.ended[cut] == "-32603 remote r: its stream ended before the answer");
  CHECK(house.handed.empty());
}

TEST_CASE("a lane: who is not let in, or sent elsewhere, is for the client's thread") {
  std::string status = "307 Elsewhere";
  KeptServer server([&](const std::string&) { return KeptServer::json("", status); });
  House house(server);
  CHECK(house.call() == "");
  status = "401 Who";
  CHECK(house.call() == "-32603 remote r: HTTP status 401");
  house.route->may_challenge = true;
  house.gate->open(house.route);
  CHECK(house.call() == "");
  REQUIRE(house.handed.size() == 2);
  for (const HandedOver& over : house.handed) {
    CHECK(over.how == How::begin);
    CHECK(over.shuts);
    CHECK(over.call.arguments == R"({"a":1})");
  }
  CHECK(house.handed[0].opening == 1);
  CHECK(house.handed[1].opening == 2);
}

TEST_CASE("a lane: what the remote alone has been told it tells nobody") {
  std::string answer;
  KeptServer server([&](const std::string& request) {
    return answer.empty() ? KeptServer::json(answer_to(request, R"("error":{"code":-32099,"message":"not token-1"})"))
                          : answer;
  });
  House house(server);
  house.route->secrets = {"token-1"};
  house.gate->open(house.route);
  CHECK(house.call() == "-32099 not ***");
  answer = "HTTP/1.1 500 No\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nnot token-1";
  CHECK_THAT(house.call(), Catch::Contains("not ***") && !Catch::Contains("token-1"));
}

TEST_CASE("a lane: where nobody is, nothing was sent") {
  std::uint16_t port = 0;
  {
    const KeptServer gone([](const std::string&) { return std::string(); });
    port = gone.port();
  }
  House house(port);
  CHECK(house.call() == "");
  REQUIRE(house.handed.size() == 1);
  CHECK(house.handed[0].how == How::begin);
  CHECK(house.handed[0].shuts);
  CHECK(house.handed[0].call.arguments == R"({"a":1})");
}

TEST_CASE("a lane: only an idempotent call whose answer was lost is repeated") {
  KeptServer server([](const std::string&) { return std::string(); });
  House house(server);
  CHECK(house.call() == "-32603 remote r: it has closed the connection without an answer");
  CHECK(house.call(true) == "");
  REQUIRE(house.handed.size() == 1);
  CHECK(house.handed[0].how == How::lose);
  CHECK(house.handed[0].lost.sent);
  CHECK(house.handed[0].lost.http_status == 0);
  CHECK_FALSE(house.handed[0].shuts);
}

TEST_CASE("a lane: a kept connection that the remote has closed is not used, noticed or not") {
  KeptServer server([](const std::string& request) { return result_of(request); });
  House house(server);
  for (const bool noticed : {true, false}) {
    CAPTURE(noticed);
    const unsigned before = server.accepted();
    house.call();
    server.hang_up();
    while (server.open() > 0) std::this_thread::yield();
    if (noticed) house.loops.turn_until([&] { return house.loops.watches() == 0; });
    CHECK(house.call() == R"(result {"content":[]})");
    CHECK(server.accepted() == before + 1 + (noticed ? 1 : 0));
  }
}

TEST_CASE("a lane: a request on a kept connection that the remote has read is not made again, however it ends") {
  for (const bool resets : {false, true}) {
    CAPTURE(resets);
    SlowServer server;
    House house(server.port);
    const collet_call first = house.begin();
    house.loops.turn_until([&] { return house.loops.watches() == 1; });
    house.loops.turn();
    server.say(result_of(server.accept_and_read()));
    REQUIRE(house.loops.turn_until([&] { return house.ended.count(first) > 0; }));
    const collet_call second = house.begin();
    server.read();
    resets ? server.reset() : server.hang_up();
    REQUIRE(house.loops.turn_until([&] { return house.ended.count(second) > 0; }));
    CHECK_THAT(house.ended[second], Catch::StartsWith("-32603 remote r: "));
    CHECK(house.handed.empty());
  }
}

TEST_CASE("a lane: a call is read once at most, and ended once, at whichever byte the remote ends") {
  std::atomic<unsigned> requests{0};
  std::atomic<std::size_t> size{0};
  std::atomic<std::size_t> answer_bytes{0};
  KeptServer server([&](const std::string& request) {
    ++requests;
    size = request.size();
    std::string answer = result_of(request);
    answer_bytes = answer.size();
    return answer;
  });
  House house(server);
  house.call();
  const auto try_fate = [&](KeptServer::Fate fate) {
    CAPTURE(fate.reads, fate.says, fate.resets);
    while (!house.call().starts_with("result ")) {  // the connection before has ended, and may have taken a call with it
    }
    requests = 0;
    server.foredoom(fate);
    const std::string end = house.call();
    const bool answered = fate.says != KeptServer::Fate::kAll && fate.says >= answer_bytes;
    CHECK(requests == (fate.reads == KeptServer::Fate::kAll ? 1 : 0));
    CHECK_THAT(end, Catch::StartsWith(answered ? "result " : "-32603 remote r: "));
    CHECK(house.handed.empty());
  };
  const std::size_t request_size = size, answer_size = answer_bytes;
  for (const bool resets : {false, true}) {
    for (std::size_t reads = 0; reads < request_size; ++reads) try_fate({.reads = reads, .resets = resets});
    for (std::size_t says = 0; says <= answer_size; ++says) try_fate({.says = says, .resets = resets});
  }
}

TEST_CASE("a lane: a request whose connection the remote has closed before is made again") {
  SlowServer server;
  House house(server.port);
  house.begin();
  server.accept();
  server.hang_up();
  REQUIRE(house.loops.turn_until([&] { return !house.handed.empty(); }));
  CHECK(house.handed[0].how == How::begin);
  CHECK(house.ended.empty());
}

TEST_CASE("a lane: a connection that rests for long is closed") {
  KeptServer server([](const std::string& request) { return result_of(request); });
  House house(server);
  house.call();
  house.loops.pass(limits::kLaneIdleMs);
  CHECK(house.loops.watches() == 1);
  house.loops.pass(limits::kLaneIdleMs);
  CHECK(house.loops.watches() == 0);
  CHECK(house.call() == R"(result {"content":[]})");
  CHECK(server.accepted() == 2);
}

TEST_CASE("a lane: a connection that cannot be made in time is given up") {
  const SlowServer full(0);  // nobody accepts, and its queue takes one
  House house(full.port);
  for (unsigned i = 0; i < 4; ++i) house.begin();
  house.loops.turn(100);
  house.loops.pass(limits::kConnectMs);
  REQUIRE(house.handed.size() > 0);
  CHECK(house.handed[0].how == How::begin);
  CHECK(house.handed[0].shuts);
  house.lane.reset();
  CHECK(house.ended.size() + house.handed.size() == 4);
}

TEST_CASE("a lane: a call that is cancelled closes its connection") {
  HeldServer held;
  House house(held.server);
  const collet_call id = house.begin();
  house.loops.turn_until([&] { return held.server.open() == 1; });
  CHECK_FALSE(house.lane->cancel(id + 1, "no"));
  CHECK(house.lane->cancel(id, "the client has cancelled"));
  CHECK(house.ended[id] == "-32603 remote r: the client has cancelled");
  CHECK_FALSE(house.lane->cancel(id, "again"));
  CHECK(house.loops.watches() == 0);
  CHECK(house.gate->calls() == 0);
  const collet_call other = house.begin();
  house.lane->end(std::make_shared<LaneGate>(2, [] {}), "another remote's");
  CHECK(house.ended.count(other) == 0);
  house.lane->end(house.gate, "it is gone");
  CHECK(house.ended[other] == "-32603 remote r: it is gone");
}

TEST_CASE("a lane: a call that is under way at the end is ended") {
  HeldServer held;
  House house(held.server);
  const collet_call id = house.begin();
  house.loops.turn();
  house.lane.reset();
  CHECK(house.ended[id] == "-32603 remote r: the client is being unloaded");
}

TEST_CASE("a lane: so many connections, and room is made by one that rests") {
  HeldServer held;
  House house(held.server);
  for (unsigned i = 0; i < limits::kLaneConnectionsMax; ++i) house.begin();
  IncomingCall more{.arguments = R"({"b":2})"};
  CHECK_FALSE(house.begin(more));
  CHECK(more.arguments == R"({"b":2})");
  CHECK(house.gate->calls() == limits::kLaneConnectionsMax);
  held.barrier.let_go();
  REQUIRE(house.loops.turn_until([&] { return house.ended.size() == limits::kLaneConnectionsMax; }));
  CHECK(house.loops.watches() == limits::kLaneConnectionsMax);
  house.gate->open(house.route);  // the remote was connected anew
  CHECK(house.call() == R"(result {"content":[]})");
  CHECK(house.loops.watches() == limits::kLaneConnectionsMax);
}

TEST_CASE("a lane: a request may be so large, and no larger") {
  KeptServer server([](const std::string& request) {
    return result_of(request, std::to_string(request.size()).insert(0, "{\"size\":") + "}");
  });
  House house(server);
  const auto sized = [](std::size_t size) {
    return IncomingCall{.arguments = "\"" + std::string(size - 2, 'x') + "\""};
  };
  IncomingCall small = sized(10);
  REQUIRE(house.begin(small));
  REQUIRE(house.loops.turn_until([&] { return house.ended.size() == 1; }));
  const std::string size = house.ended[1].substr(std::string("result {\"size\":").size());
  // Its Content-Length takes four more digits.
  const std::size_t rest = std::stoul(size) - 10 + 3;
  IncomingCall large = sized(limits::kLaneRequestBytesMax - rest);
  REQUIRE(house.begin(large));
  REQUIRE(house.loops.turn_until([&] { return house.ended.size() == 2; }));
  CHECK(house.ended[2] == "result {\"size\":" + std::to_string(limits::kLaneRequestBytesMax) + "}");
  IncomingCall larger = sized(limits::kLaneRequestBytesMax - rest + 1);
  CHECK_FALSE(house.begin(larger));
  CHECK(larger.arguments->size() == limits::kLaneRequestBytesMax - rest + 1);
}

TEST_CASE("a lane: a larger answer is read on the client's thread") {
  std::size_t size = limits::kLaneAnswerBytesMax;
  bool as_event = false;
  KeptServer server([&](const std::string& request) {
    const std::string without = answer_to(request, R"("result":{"a":""})");
    const std::string result = R"({"a":")" + std::string(size - without.size(), 'x') + "\"}";
    if (!as_event) return result_of(request, result);
    return kStreamHead + as_chunk("data: " + answer_to(request, "\"result\":" + result) + "\n\n") + "0\r\n\r\n";
  });
  House house(server);
  CHECK(house.call().size() > limits::kLaneAnswerBytesMax / 2);
  ++size;
  CHECK(house.call() == "");
  REQUIRE(house.handed.size() == 1);
  CHECK(house.handed[0].how == How::settle);
  CHECK(house.handed[0].answer.size() == size);
  as_event = true;
  CHECK(house.call() == "");
  REQUIRE(house.handed.size() == 2);
  CHECK(house.handed[1].how == How::settle);
  CHECK(house.handed[1].answer.size() == size);
  --size;
  CHECK(house.call().size() > limits::kLaneAnswerBytesMax / 2);
}

TEST_CASE("a lane: what may become a task is not for it") {
  KeptServer server([](const std::string& request) { return result_of(request); });
  House house(server);
  IncomingCall call;
  CHECK_FALSE(house.begin(call, {COLLET_TOOL, "t", "{}", false, TaskSupport::required}));
  house.fake.set_info("_meta", R"({"io.modelcontextprotocol/clientCapabilities":{"extensions":{")" +
                                   std::string("io.modelcontextprotocol/tasks") + R"(":{}}}})");
  CHECK_FALSE(house.begin(call));
  call.kind = COLLET_PROMPT;
  CHECK(house.begin(call, {COLLET_PROMPT, "p", "{}", false, {}}));
}

TEST_CASE("a lane under TLS: calls end on their loop, and one connection carries them one after the other") {
  KeptServer server(
      [](const std::string& request) {
        return result_of(request, "{\"a\":\"" + std::string(request.size() * 200, 'x') + "\"}");
      },
      local().server());
  House house(server.port(), believing(local()));
  for (unsigned calls = 0; calls < 3; ++calls) CHECK(house.call().size() > 4 * ByteStream::kRecordBytes);
  CHECK(server.accepted() == 1);
  CHECK(house.handed.empty());
  house.loops.pass(limits::kLaneIdleMs);
  house.loops.pass(limits::kLaneIdleMs);
  CHECK(house.loops.watches() == 0);
  CHECK(house.call().starts_with("result "));
  CHECK(server.accepted() == 2);
}

TEST_CASE("a lane under TLS: who is not believed is left to libcurl, and hears nothing") {
  std::atomic<unsigned> requests{0};
  KeptServer server(
      [&](const std::string& request) {
        ++requests;
        return result_of(request);
      },
      local().server());
  const Certificate stranger({.names = "IP:127.0.0.1"});
  for (const TlsContextPtr& tls : {believing(stranger), believing(local(), "127.0.0.2"), believing(local(), "a.example")}) {
    House house(server.port(), tls);
    CHECK(house.call() == "");
    REQUIRE(house.handed.size() == 1);
    CHECK(house.handed[0].how == How::begin);
    CHECK(house.handed[0].shuts);
    CHECK(house.handed[0].call.arguments == R"({"a":1})");
  }
  CHECK(requests == 0);
}

TEST_CASE("a lane under TLS: a server that does not shake hands is given up") {
  for (const bool hangs_up : {true, false}) {
    CAPTURE(hangs_up);
    SlowServer server;
    House house(server.port, believing(local()));
    house.begin();
    house.loops.turn_until([&] { return house.loops.watches() == 1; });
    house.loops.turn();
    CHECK(server.accept_and_read().starts_with("\x16\x03"));
    hangs_up ? server.hang_up() : house.loops.pass(limits::kConnectMs);
    REQUIRE(house.loops.turn_until([&] { return !house.handed.empty(); }));
    CHECK(house.handed[0].how == How::begin);
    CHECK(house.handed[0].shuts);
    CHECK(house.ended.empty());
  }
}

TEST_CASE("a lane under TLS: a body that ends with its connection is whole if that end was announced") {
  KeptServer server(
      [](const std::string& request) {
        return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + answer_to(request, R"("result":{})");
      },
      local().server());
  House house(server.port(), believing(local()));
  server.foredoom({.says = KeptServer::Fate::kAll - 1});
  CHECK(house.call() == "result {}");
  server.foredoom({.says = KeptServer::Fate::kAll - 1, .silent = true});
  CHECK(house.call() == "-32603 remote r: the connection has broken: it has closed the connection without a word");
  CHECK(house.handed.empty());
}

TEST_CASE("a lane under TLS: a kept connection that the remote has closed is not used, noticed or not") {
  KeptServer server([](const std::string& request) { return result_of(request); }, local().server());
  House house(server.port(), believing(local()));
  for (const bool noticed : {true, false}) {
    CAPTURE(noticed);
    const unsigned before = server.accepted();
    house.call();
    server.hang_up();
    while (server.open() > 0) std::this_thread::yield();
    if (noticed) house.loops.turn_until([&] { return house.loops.watches() == 0; });
    CHECK(house.call() == R"(result {"content":[]})");
    CHECK(server.accepted() == before + 1 + (noticed ? 1 : 0));
  }
}

TEST_CASE("a lane under TLS: a call is read once at most, and ended once, at whichever byte the remote ends") {
  std::atomic<unsigned> requests{0};
  std::atomic<std::size_t> request_size{0};
  std::atomic<std::size_t> answer_size{0};
  KeptServer server(
      [&](const std::string& request) {
        ++requests;
        request_size = request.size();
        std::string answer = result_of(request);
        answer_size = answer.size();
        return answer;
      },
      local().server());
  House house(server.port(), believing(local()));
  house.call();
  const auto try_fate = [&](KeptServer::Fate fate) {
    CAPTURE(fate.reads, fate.says, fate.resets);
    while (!house.call().starts_with("result ")) {  // the connection before has ended, and may have taken a call with it
    }
    requests = 0;
    server.foredoom(fate);
    const std::string end = house.call();
    const bool answered = fate.says != KeptServer::Fate::kAll && fate.says >= answer_size;
    CHECK(requests == (fate.reads == KeptServer::Fate::kAll ? 1 : 0));
    CHECK_THAT(end, Catch::StartsWith(answered ? "result " : "-32603 remote r: "));
    CHECK(house.handed.empty());
  };
  constexpr std::size_t kStep = 13;  // each of these shakes hands anew
  const std::size_t in_request = request_size, in_answer = answer_size;
  for (const bool resets : {false, true}) {
    for (std::size_t reads = 0; reads < in_request; reads += kStep) try_fate({.reads = reads, .resets = resets});
    for (std::size_t says = 0; says < in_answer; says += kStep) try_fate({.says = says, .resets = resets});
    try_fate({.says = in_answer, .resets = resets});
  }
}

TEST_CASE("a lane under TLS: nobody connects by files that have changed, and what is connected goes on") {
  const Certificate ours({.names = "DNS:us"});
  KeptServer server([](const std::string& request) { return result_of(request); }, local().server());
  House house(server.port(), TlsContext::make({.authorities = std::make_shared<const Authorities>(local().pem(), false),
                                               .certificate = ours.file(),
                                               .key = ours.key_file()},
                                              "127.0.0.1", false));
  house.call();
  ours.folder().put("certificate.pem", ours.pem() + "\n");
  CHECK(house.call().starts_with("result "));
  server.hang_up();
  house.loops.turn_until([&] { return house.loops.watches() == 0; });
  IncomingCall call;
  CHECK_FALSE(house.begin(call));
  CHECK(server.accepted() == 1);
}
