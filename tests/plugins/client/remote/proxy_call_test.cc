#include "client/remote/proxy_call.h"

#include "client/limits.h"
#include "client/remote/remote_calls.h"
#include "plugins/client/noting_host.h"
#include "plugins/client/scripted_transport.h"
#include "support/catch.h"
#include "support/manual_time.h"

using namespace collet::client;
using Catch::Contains;

namespace {

// A remote that a test plays, and the host's calls of its one tool.
struct PlayedRemote final : ProxyCall::Owner, ConnectionListener {
  NotingHost noting;
  Host host_{&noting.table};
  Loop loop_;
  ManualTime time{loop_};
  Wire wire;
  Connection its_connection{loop_, R"({"name":"test"})", *this};
  RemoteConfig config_;
  Peer peer_;
  RemoteItem tool{.kind = COLLET_TOOL, .name = "t", .definition = "{}"};
  bool up = true;
  unsigned unreachable = 0;
  unsigned answers_noted = 0;
  RemoteCalls calls{loop_, [] {}};

  explicit PlayedRemote(Era era = Era::modern) {
    config_.name = "r";
    config_.url = "http://h/mcp";
    peer_.era = era;
    its_connection.use(wire.transport());
    its_connection.set_version(era, "v");
    client_can(R"({"elicitation":{},"roots":{}})");
  }
  ~PlayedRemote() { calls.clear(); }

  void client_can(const std::string& capabilities, const std::string& more = "") {
    noting.fake.set_info("_meta", R"({"io.modelcontextprotocol/clientCapabilities":)" + capabilities + more + "}");
  }
  ProxyCall& begin(IncomingCall call = {.id = 1, .arguments = R"({"a":1})"}) {
    ProxyCall* const made = calls.add(*this, std::move(call), std::make_shared<const RemoteItem>(tool));
    REQUIRE(made);
    made->begin();
    return *made;
  }
  RequestId last_id() const { return wire.last().id; }
  void comes(const std::string& text) { its_connection.transport_listener().on_text(text, last_id()); }
  void answers(const std::string& result) { comes(result_text(last_id(), result)); }
  void lose(Lost lost) { its_connection.transport_listener().on_lost(last_id(), std::move(lost)); }
  std::string end(collet_call call = 1) const { return noting.end_of(call); }

  Loop& loop() override { return loop_; }
  Connection* connection() override { return up ? &its_connection : nullptr; }
  std::string why_down() const override { return "it is down"; }
  void note_unreachable(const Connection&, const std::string&) override { ++unreachable; }
  const Host& host() const override { return host_; }
  const RemoteConfig& config() const override { return config_; }
  const Peer& peer() const override { return peer_; }
  void begin_when_up(ProxyCall& call, const std::string& why) override { up ? call.begin() : call.fail(why); }
  bool keep_suspended(ProxyCall& call, std::string& token) override { return calls.keep_suspended(call, token); }
  void on_over(ProxyCall& call) override { calls.over(call); }
  void refresh_tools() override {}
  void note_answer() override { ++answers_noted; }
  void want_logs(std::string_view) override {}
  std::string without_secrets(std::string text) const override { return without(std::move(text), {"sesame-1"}); }

  void on_notification(const Message&) override {}
  bool on_request(const Message&) override { return false; }
  void on_garbage(const std::string&) override {}
  void on_unreachable(const std::string&) override {}
  void on_down(const std::string&) override {}
};

std::string question(unsigned number) {
  return R"({"jsonrpc":"2.0","id":"s)" + std::to_string(number) +
         R"(","method":"elicitation/create","params":{"message":"?"}})";
}

}  // namespace

TEST_CASE("a call goes to its remote as the caller has made it, and comes back byte for byte") {
  PlayedRemote remote;
  remote.client_can(R"({"roots":{},"extensions":{"x":{}}})", R"(,"progressToken":"p","traceparent":"00-1")");
  remote.tool.mirrored = {{"Mcp-Param-A", {"a"}}};
  remote.begin();
  const Outgoing& sent = remote.wire.last();
  CHECK(sent.method == "tools/call");
  CHECK(sent.name == "t");
  CHECK(remote.answers_noted == 0);
  REQUIRE(sent.headers.size() == 1);
  CHECK(sent.headers[0].name == "Mcp-Param-A");
  CHECK(sent.headers[0].value == "1");
  CHECK_THAT(sent.text, Contains(R"("params":{"name":"t","arguments":{"a":1},"_meta":{)") &&
                            Contains(R"("io.modelcontextprotocol/clientCapabilities":{"roots":{}},)") &&
                            Contains(R"("traceparent":"00-1","collet/hops":1,"progressToken":1)"));
  remote.comes(R"({"jsonrpc":"2.0","method":"notifications/progress",)"
               R"("params":{"progressToken":1,"progress":1,"total":2,"message":"so far"}})");
  CHECK(remote.noting.told == std::vector<std::string>{"progress 1/2 so far"});
  remote.answers(R"({ "content" : [ ], "x":1.0e2 })");
  CHECK(remote.end() == R"(result { "content" : [ ], "x":1.0e2 })");
  CHECK(remote.answers_noted == 1);
  CHECK(remote.calls.size() == 0);
}

TEST_CASE("an error of the remote is the call's, but for what only we have told it") {
  PlayedRemote remote;
  remote.begin();
  remote.comes(error_text(1, -32099, "not with sesame-1"));
  CHECK_THAT(remote.end(), Contains("-32099 not with") && !Contains("sesame-1"));
  CHECK(remote.answers_noted == 1);
}

TEST_CASE("a call whose connection is lost is made once more if it may be, and only once") {
  for (const bool idempotent : {false, true}) {
    PlayedRemote remote;
    remote.tool.idempotent = idempotent;
    remote.begin();
    remote.lose({.sent = true, .message = "reset"});
    CHECK(remote.wire.sent.size() == (idempotent ? 2 : 1));
    CHECK(remote.end() == (idempotent ? "" : "-32603 remote r: reset"));
    if (!idempotent) continue;
    remote.lose({.sent = true, .message = "reset again"});
    CHECK(remote.end() == "-32603 remote r: reset again");
  }
  PlayedRemote remote;
  remote.tool.idempotent = true;
  remote.begin();
  remote.lose({.sent = true, .http_status = 500, .message = "HTTP status 500"});  // an answer, of sorts
  CHECK(remote.end() == "-32603 remote r: HTTP status 500");
  CHECK(remote.answers_noted == 0);
}

TEST_CASE("a call that reaches nobody is made again while its remote may restart, and a few times in any case") {
  PlayedRemote remote;
  remote.config_.restart_timeout_ms = 5'000;
  remote.begin();
  const auto miss = [&] { remote.lose({.sent = false, .message = "refused"}); };
  for (unsigned i = 0; i < limits::kRepeatsMax + 2; ++i) miss();
  remote.time.pass(5'000);
  miss();
  CHECK(remote.end().empty());
  CHECK(remote.wire.sent.size() == limits::kRepeatsMax + 4);
  remote.time.pass(1);
  miss();
  CHECK(remote.end() == "-32603 remote r: refused");

  PlayedRemote slow;
  slow.config_.restart_timeout_ms = 0;
  slow.begin();
  for (unsigned i = 0; i < limits::kRepeatsMax; ++i) {
    slow.time.pass(1'000);
    slow.lose({.sent = false, .message = "refused"});
    CHECK(slow.end().empty());
  }
  slow.time.pass(1'000);
  slow.lose({.sent = false, .message = "refused"});
  CHECK(slow.end() == "-32603 remote r: refused");
}

TEST_CASE("a call waits for a remote that is busy, so long in all") {
  const Lost busy{.sent = true, .http_status = 503, .message = "busy", .retry_after_ms = limits::kBusyMsMax / 2};
  PlayedRemote remote;
  remote.tool.idempotent = true;
  remote.begin();
  for (unsigned i = 0; i < 2; ++i) {
    remote.lose(busy);
    remote.time.pass(limits::kBusyMsMax / 2 - 1);
    CHECK(remote.wire.sent.size() == i + 1);
    remote.time.pass(1);
    CHECK(remote.wire.sent.size() == i + 2);
  }
  remote.lose({.sent = true, .http_status = 503, .message = "busy", .retry_after_ms = 1});
  CHECK(remote.end() == "-32603 remote r: busy");

  PlayedRemote other;  // whose tool may have acted
  other.begin();
  other.lose(busy);
  CHECK(other.end() == "-32603 remote r: busy");
}

TEST_CASE("a remote that wants nothing but another try gets so many") {
  PlayedRemote remote;
  remote.begin();
  for (unsigned round = 1; round <= limits::kInputRoundsMax; ++round) {
    remote.answers(R"({"resultType":"input_required","requestState":"s)" + std::to_string(round) + R"("})");
    CHECK(remote.end().empty());
    CHECK_THAT(remote.wire.last().text, Contains(R"("requestState":"s)" + std::to_string(round) + "\""));
  }
  CHECK(remote.wire.sent.size() == limits::kInputRoundsMax + 1);
  remote.answers(R"({"resultType":"input_required","requestState":"s"})");
  CHECK_THAT(remote.end(), Contains("asked again and again"));
}

TEST_CASE("questions of a modern remote suspend the call with its state, and their answers come with the next") {
  PlayedRemote remote;
  remote.begin();
  remote.answers(
      R"({"resultType":"input_required","requestState":"s","inputRequests":{"q":{"method":"roots/list"}}})");
  CHECK(remote.end() == "suspended");
  CHECK(remote.noting.questions["q"] == R"({"method":"roots/list"})");
  CHECK(remote.noting.state == "\"s\"");
  CHECK(remote.noting.state_version == kStateIsRequestState);
  CHECK(remote.calls.size() == 0);  // nothing is kept of it here
  remote.begin({.id = 2,
                .round = 1,
                .state_version = kStateIsRequestState,
                .arguments = "{}",
                .input_responses = R"({"q":{"roots":[]}})",
                .state = "\"s\""});
  CHECK_THAT(remote.wire.last().text,
             Contains(R"("inputResponses":{"q":{"roots":[]}},"requestState":"s")"));
}

TEST_CASE("a result of a kind that was not asked for is a failure") {
  PlayedRemote remote;
  remote.begin();
  remote.answers(R"({"resultType":"task","taskId":"t1"})");
  CHECK_THAT(remote.end(), Contains("type task, which was not asked for"));
  remote.client_can(R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})");
  remote.begin({.id = 2, .arguments = {}});
  remote.answers(R"({"resultType":"task","status":"working"})");
  CHECK_THAT(remote.end(2), Contains("no taskId"));
}

TEST_CASE("a legacy remote asks while its request stays open, and is told what the client has answered") {
  PlayedRemote remote(Era::legacy);
  remote.begin();
  remote.comes(question(1));
  CHECK(remote.end() == "suspended");
  CHECK(remote.noting.state_version == kStateIsToken);
  CHECK_THAT(remote.noting.questions["q1"], Contains("elicitation/create"));
  IncomingCall again{.id = 2,
                     .round = 1,
                     .state_version = kStateIsToken,
                     .input_responses = R"({"q1":{"action":"accept"}})",
                     .state = remote.noting.state};
  const RequestId asked = remote.last_id();
  SECTION("then it answers") {
    CHECK(remote.calls.resume(again));
    CHECK(remote.wire.last().text == R"({"jsonrpc":"2.0","id":"s1","result":{"action":"accept"}})");
    remote.comes(result_text(asked, R"({"content":[]})"));
    CHECK(remote.end(2) == R"(result {"content":[]})");
  }
  SECTION("it has answered in the meantime") {
    remote.comes(result_text(asked, R"({"content":[]})"));
    CHECK(remote.calls.size() == 1);
    CHECK(remote.calls.resume(again));
    CHECK(remote.end(2) == R"(result {"content":[]})");
  }
  SECTION("the token is somebody else's") {
    again.state = "0";
    CHECK_FALSE(remote.calls.resume(again));
  }
  SECTION("nobody answers") {
    remote.time.pass(limits::kSuspendedMs - 1);
    CHECK(remote.wire.sent.size() == 1);
    remote.time.pass(1);
    REQUIRE(remote.wire.sent.size() == 3);
    CHECK_THAT(remote.wire.sent[1].text, Contains(R"("id":"s1")") && Contains("the client has not answered"));
    CHECK(remote.wire.sent[2].method == "notifications/cancelled");
    CHECK(remote.calls.size() == 0);
    CHECK_FALSE(remote.calls.resume(again));
  }
}

TEST_CASE("a legacy remote has so many questions open at once, of the kinds that the client can answer") {
  PlayedRemote remote(Era::legacy);
  remote.begin();
  const RequestId asked = remote.last_id();
  remote.comes(R"({"jsonrpc":"2.0","id":"no","method":"sampling/createMessage","params":{}})");
  CHECK_THAT(remote.wire.last().text, Contains(R"("id":"no")") && Contains("-32601"));
  const std::size_t before = remote.wire.sent.size();
  const auto asks = [&](unsigned number) {
    remote.its_connection.transport_listener().on_text(question(number), asked);
  };
  for (unsigned number = 1; number <= limits::kServerRequestsMax; ++number) asks(number);
  CHECK(remote.wire.sent.size() == before);
  asks(limits::kServerRequestsMax + 1);
  REQUIRE(remote.wire.sent.size() == before + 1);
  CHECK_THAT(remote.wire.last().text,
             Contains("\"id\":\"s" + std::to_string(limits::kServerRequestsMax + 1) + "\"") && Contains("-32601"));
}

TEST_CASE("a call that is cancelled is cancelled at its remote, and ends with the reason") {
  PlayedRemote remote;
  remote.begin();
  const RequestId asked = remote.last_id();
  CHECK_FALSE(remote.calls.cancel(2, "of another call"));
  CHECK(remote.calls.cancel(1, "the client has cancelled"));
  CHECK_THAT(remote.wire.last().text, Contains("notifications/cancelled") && Contains("the client has cancelled"));
  remote.comes(result_text(asked));
  CHECK(remote.end() == "-32603 remote r: the client has cancelled");
}

TEST_CASE("a call that has come through too many gateways is not passed on") {
  for (const unsigned hops : {limits::kHopsMax - 1, limits::kHopsMax}) {
    PlayedRemote remote;
    remote.client_can("{}", R"(,"collet/hops":)" + std::to_string(hops));
    remote.begin();
    CHECK(remote.wire.sent.size() == (hops < limits::kHopsMax ? 1 : 0));
    if (hops == limits::kHopsMax) CHECK_THAT(remote.end(), Contains("too many gateways"));
  }
}
