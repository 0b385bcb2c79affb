#include "client/remote/lane.h"

#include <collet/ext/relay.h>

#include <condition_variable>

#include "client/limits.h"
#include "plugins/client/certificates.h"
#include "plugins/client/fake_loops.h"
#include "plugins/client/kept_server.h"
#include "support/catch.h"
#include "support/fake_host.h"

using namespace collet::client;
using How = HandedOver::How;

namespace {

// A lane of loop 0 to one remote, and all that has come out of it.
struct House final : LaneListener {
  fake::Host fake;
  collet_host table = *fake.table();
  FakeLoops loops;
  std::map<collet_call, std::string> ended;  // "result {…}", "-32603 …"
  std::vector<HandedOver> handed;
  std::vector<std::string> strays;
  std::vector<std::string> carried;  // "3: {…}", by request
  std::vector<CarriedEnd> carried_ends;
  std::vector<std::pair<RequestId, std::string>> cancelled;
  std::string said;  // progress
  std::optional<Host> host;
  std::optional<HostLoops> host_loops;
  LaneGatePtr gate = std::make_shared<LaneGate>(2, [] {});
  std::shared_ptr<LaneRoute> route;
  std::optional<Lane> lane;
  collet_call last = 0;

  static inline House* of_test = nullptr;

  explicit House(const KeptServer& server) : House(server.port()) {}
  explicit House(std::uint16_t port, const TlsContextPtr& tls = nullptr) {
    of_test = this;
    table.fail = [](const collet_host*, collet_call call, std::int32_t code, const char* text, std::size_t size,
                    const char*, std::size_t) -> std::int32_t {
      of_test->end(call, std::to_string(code) + " " + std::string(text, size));
      return COLLET_OK;
    };
    table.progress = [](const collet_host*, collet_call call, double done, double total, const char*,
                        std::size_t) -> std::int32_t {
      of_test->said += std::to_string(call) + ":" + std::to_string(static_cast<int>(done)) + "/" +
                       std::to_string(static_cast<int>(total)) + " ";
      return COLLET_OK;
    };
    table.get_extension = [](const collet_host*, const char* id, std::size_t size) -> const void* {
      static constexpr collet_relay kRelay{sizeof(collet_relay), 0, complete_with};
      const std::string_view name(id, size);
      if (name == COLLET_EXT_LOOP) return of_test->loops.table();
      return name == COLLET_EXT_RELAY ? &kRelay : nullptr;
    };
    host.emplace(&table);
    host_loops = host->loops();
    RemoteConfig config;
    config.name = "r";
    const std::string url = (tls ? "https" : "http") + std::string("://127.0.0.1:") + std::to_string(port) + "/mcp";
    config.url = url;
    route = make_route(config, url, {"127.0.0.1", port}, "collet/1", tls);
    route->sender.version = "2026-07-28";
    route->stamp = R"("stamp":true,"io.modelcontextprotocol/clientCapabilities":)";
    gate->open(route);
    lane.emplace(*host, *host_loops, 0, *this);
  }

  static std::int32_t complete_with(const collet_host*, collet_call call, const char* json, std::size_t size) {
    of_test->end(call, "result " + std::string(json, size));
    return COLLET_OK;
  }
  void end(collet_call call, std::string how) {
    CHECK(ended.count(call) == 0);
    ended[call] = std::move(how);
  }

  void hand_over(HandedOver over) override { handed.push_back(std::move(over)); }
  void on_stray(LaneGatePtr, std::string text) override { strays.push_back(std::move(text)); }
  void on_carried(LaneRequest request, std::string text) override {
    carried.push_back(std::to_string(request.id) + ": " + std::move(text));
  }
  void on_carried_end(LaneRequest, CarriedEnd end) override { carried_ends.push_back(std::move(end)); }
  void on_cancelled(LaneRequest request, const char* reason) override { cancelled.emplace_back(request.id, reason); }
  void cancel_elsewhere(collet_call, const char*) override {}

  // From now on the remote is one of the legacy era, with a session.
  void be_legacy() {
    route->sender.era = Era::legacy;
    route->sender.version = "2025-11-25";
    route->sender.session = "s1";
    route->stamp.clear();
    route->link = 7;
    gate->open(route);
  }

  // False: it is not for the lane; `call` is as before.
  bool begin(IncomingCall& call, RemoteItem item = {COLLET_TOOL, "t", "{}", false, {}}) {
    call.id = ++last;
    return lane->take(call, {std::make_shared<const RemoteItem>(std::move(item)), gate});
  }
  collet_call begin(bool idempotent = false) {
    IncomingCall call{.arguments = R"({"a":1})"};
    REQUIRE(begin(call, {COLLET_TOOL, "t", "{}", idempotent, {}}));
    return last;
  }
  // How it ends; empty: it is handed over.
  std::string call(bool idempotent = false) {
    const collet_call id = begin(idempotent);
    const std::size_t before = handed.size();
    REQUIRE(loops.turn_until([&] { return ended.count(id) > 0 || handed.size() > before; }));
    CHECK(gate->calls() == 0);
    return ended.count(id) ? ended[id] : std::string();
  }
};

std::string id_of(const std::string& request) {
  const std::size_t at = request.find("\"id\":") + 5;
  return request.substr(at, request.find(',', at) - at);
}

std::string answer_to(const std::string& request, const std::string& members) {
  return R"({"jsonrpc":"2.0","id":)" + id_of(request) + "," + members + "}";
}

std::string result_of(const std::string& request, const std::string& result = R"({"content":[]})") {
  return KeptServer::json(answer_to(request, R"("result":)" + result));
}

std::string as_chunk(const std::string& text) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx", text.size());
  return std::string(size) + "\r\n" + text + "\r\n";
}

const std::string kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

// What a server waits for before it answers.
struct Barrier {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  void wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return open; });
  }
  void let_go() {
    const std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
};

// A server that answers nothing until it is told, or ends.
struct HeldServer {
  Barrier barrier;
  KeptServer server{[this](const std::string& request) {
    barrier.wait();
    return result_of(request);
  }};
  ~HeldServer() { barrier.let_go(); }
};

// A server of one connection that does what the test says, when it says so.
struct SlowServer {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int peer = -1;
  std::uint16_t port = 0;

  explicit SlowServer(int backlog = 1) {
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(listen(listener, backlog) == 0);
    REQUIRE(getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port = ntohs(at.sin_port);
  }
  ~SlowServer() {
    hang_up();
    close(listener);
  }

  void accept() { peer = ::accept(listener, nullptr, nullptr); }
  std::string read() const {
    char bytes[16384];
    const ssize_t got = ::read(peer, bytes, sizeof bytes);
    return {bytes, got > 0 ? static_cast<std::size_t>(got) : 0};
  }
  std::string accept_and_read() {
    accept();
    return read();
  }
  void say(const std::string& bytes) const {
    REQUIRE(send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  void hang_up() {
    if (peer >= 0) close(std::exchange(peer, -1));
  }
  void reset() {
    const linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    hang_up();
  }
};

// Who a server under TLS is, and whom its remote believes.
const Certificate& local() {
  static const Certificate one({.names = "IP:127.0.0.1"});
  return one;
}

TlsContextPtr believing(const Certificate& one, const std::string& host = "127.0.0.1") {
  return TlsContext::make({.authorities = std::make_shared<const Authorities>(one.pem(), false), .certificate = {}, .key = {}},
                          host, false);
}

}  // namespace

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
    house.call();
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
  const collet_call call = house.begin();
  house.loops.turn_until([&] { return house.loops.watches() == 1; });
  house.loops.turn();
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
  house.begin();
  house.loops.turn_until([&] { return house.loops.watches() == 1; });
  house.loops.turn();
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
  house.begin();
  house.loops.turn_until([&] { return house.loops.watches() == 1; });
  house.loops.turn();
  const RequestId id = std::stoul(id_of(server.accept_and_read()));
  const std::string text = R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":3,"total":4}})";
  house.lane->tell(id + 1, *parse_message(text));
  house.lane->tell(id, *parse_message(text));
  CHECK(house.said == "1:3/4 ");
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
    house.call();
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
