// A lane of a host that plays along, and servers for it.
#pragma once

#include <collet/ext/relay.h>

#include <condition_variable>

#include "client/limits.h"
#include "client/remote/lane.h"
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

  // From now on answers come on the remote's one stream: to requests that are posted, or sent to a child.
  void be_aside(std::shared_ptr<ChildInput> input = nullptr) {
    be_legacy();
    route->answers_aside = true;
    route->input = std::move(input);
    gate->open(route);
  }
  void answer(RequestId request, const std::string& members = R"("result":{"content":[]})") {
    lane->answer(gate, request, R"({"jsonrpc":"2.0","id":)" + std::to_string(request) + "," + members + "}");
    lane->on_turn_end();
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
  // The call begins, and its request is on its way to a server that has not accepted yet.
  collet_call begin_and_send() {
    const collet_call id = begin();
    loops.turn_until([&] { return loops.watches() == 1; });
    loops.turn();
    return id;
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

inline std::string id_of(const std::string& request) {
  const std::size_t at = request.find("\"id\":") + 5;
  return request.substr(at, request.find(',', at) - at);
}

inline std::string answer_to(const std::string& request, const std::string& members) {
  return R"({"jsonrpc":"2.0","id":)" + id_of(request) + "," + members + "}";
}

inline std::string result_of(const std::string& request, const std::string& result = R"({"content":[]})") {
  return KeptServer::json(answer_to(request, R"("result":)" + result));
}

inline std::string as_chunk(const std::string& text) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx", text.size());
  return std::string(size) + "\r\n" + text + "\r\n";
}

inline const std::string kStreamHead =
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
inline const Certificate& local() {
  static const Certificate one({.names = "IP:127.0.0.1"});
  return one;
}

inline TlsContextPtr believing(const Certificate& one, const std::string& host = "127.0.0.1") {
  return TlsContext::make({.authorities = std::make_shared<const Authorities>(one.pem(), false), .certificate = {}, .key = {}},
                          host, false);
}

}  // namespace
