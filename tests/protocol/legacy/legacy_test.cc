// The legacy era over HTTP: initialize, sessions, the GET stream (2025-03-26 … 2025-11-25).
#include "protocol/harness.h"
#include "protocol/shares.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

std::string call(std::string id, std::string tool) {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"tools/call","params":{"name":")" + tool + R"("}})";
}

Post get(std::string session) {
  return {"", {{"Accept", "text/event-stream"}, {"Mcp-Session-Id", session}}, "GET"};
}

}  // namespace

TEST_CASE("initialize settles on a version that both know") {
  Harness h({.instructions = "Hi."});
  for (std::string version : {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}) {
    FakeReply& reply = h.legacy(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":")" +
                                version + R"(","capabilities":{},"clientInfo":{"name":"t","version":"1"}}})");
    CHECK(at(reply.body, "/result/protocolVersion") == '"' + version + '"');
    CHECK(at(reply.body, "/result/serverInfo/name") == "\"collet\"");
    CHECK(at(reply.body, "/result/instructions") == "\"Hi.\"");
    CHECK(at(reply.body, "/result/capabilities/tools/listChanged") == "true");
    CHECK(at(reply.body, "/result/resultType") == "");
    CHECK(reply.headers["Mcp-Session-Id"].size() == 32);
  }
  FakeReply& future = h.legacy(
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2099-01-01","capabilities":{}}})");
  CHECK(at(future.body, "/result/protocolVersion") == "\"2025-11-25\"");
}

TEST_CASE("initialize works with the headers of either era") {
  Harness h;
  FakeReply& reply =
      h.send({R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})",
              {{"Content-Type", "application/json"},
               {"MCP-Protocol-Version", "2025-11-25"},
               {"Mcp-Method", "initialize"}}});
  CHECK(reply.status == 200);
  CHECK(reply.ended);
}

TEST_CASE("legacy results carry nothing that is not theirs") {
  Harness h;
  const std::string session = h.initialize();
  CHECK(h.legacy(R"({"jsonrpc":"2.0","id":1,"method":"ping"})", session).body ==
        R"({"jsonrpc":"2.0","id":1,"result":{}})");
  CHECK(h.legacy(R"({"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"error"}})", session)
            .body == R"({"jsonrpc":"2.0","id":1,"result":{}})");
  CHECK(h.legacy(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})", session).body ==
        R"({"jsonrpc":"2.0","id":1,"result":{"tools":[]}})");
}

TEST_CASE("a method that is not known is a JSON-RPC error with status 200") {
  Harness h;
  for (const char* method : {"no/such", "server/discover"}) {
    FakeReply& reply =
        h.legacy(R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) + "\"}", h.initialize());
    CHECK(reply.status == 200);
    CHECK(at(reply.body, "/error/code") == "-32601");
  }
}

TEST_CASE("a request without a version header is one of 2025-03-26") {
  Harness h;
  std::string version;
  h.add_tool("who", [&](const registry::Call&, registry::Listener& listener) {
    version = *listener.info("protocolVersion");
    h.provider.end_with_text("");
  });
  h.send({call("1", "who"), {{"Content-Type", "application/json"}}});
  CHECK(version == "2025-03-26");
}

TEST_CASE("notifications and responses are accepted with 202 and no body") {
  Harness h;
  const std::string session = h.initialize();
  for (const char* body : {R"({"jsonrpc":"2.0","method":"notifications/initialized"})",
                           R"({"jsonrpc":"2.0","method":"notifications/made/up","params":{}})",
                           R"({"jsonrpc":"2.0","id":5,"result":{}})"}) {
    FakeReply& reply = h.legacy(body, session);
    CHECK(reply.status == 202);
    CHECK(reply.body.empty());
  }
}

TEST_CASE("a session ends with DELETE and is unknown afterwards") {
  Harness h;
  const std::string session = h.initialize();
  const Post remove{"", {{"Mcp-Session-Id", session}}, "DELETE"};
  FakeReply& stream = h.send(get(session));
  CHECK(h.send(remove).status == 204);
  h.turn();
  CHECK(stream.ended);
  CHECK(h.send(remove).status == 404);
  CHECK(h.send(get(session)).status == 404);
  FakeReply& reply = h.legacy(R"({"jsonrpc":"2.0","id":1,"method":"ping"})", session);
  CHECK(reply.status == 404);
  CHECK(at(reply.body, "/id") == "1");
}

TEST_CASE("a session belongs to the principal who made it") {
  protocol::AccessRules rules;
  rules.authenticator = test::known_by([](std::string_view token) { return test::named(token); });
  Harness h({}, rules);
  const auto send = [&](std::string token, std::string session, std::string body) -> FakeReply& {
    Post post{std::move(body), {{"Content-Type", "application/json"}}};
    if (!token.empty()) post.headers.push_back({"Authorization", "Bearer " + token});
    if (!session.empty()) post.headers.push_back({"Mcp-Session-Id", session});
    return h.send(post);
  };
  const std::string initialize =
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})";
  const std::string session = send("alice", "", initialize).headers["Mcp-Session-Id"];
  const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  CHECK(send("alice", session, ping).status == 200);
  CHECK(send("bob", session, ping).status == 404);
  FakeReply& refused = send("", session, ping);
  CHECK(refused.status == 401);
  CHECK(refused.headers["WWW-Authenticate"].starts_with("Bearer"));
}

TEST_CASE("sessions are bounded: past the limit the one idle for longest goes") {
  Harness h({.sessions_max = 2});
  const std::string first = h.initialize();
  const std::string second = h.initialize();
  const auto ping = [&](const std::string& session) {
    return h.legacy(R"({"jsonrpc":"2.0","id":1,"method":"ping"})", session).status;
  };
  CHECK(ping(first) == 200);
  const std::string third = h.initialize();
  CHECK(ping(first) == 200);
  CHECK(ping(second) == 404);
  CHECK(ping(third) == 200);
  CHECK(h.server.sessions().size() == 2);
}

TEST_CASE("a flood of one principal's sessions costs another none") {
  protocol::MemoryEventLogs logs;
  protocol::SessionTable table(logs, 4, 1'000'000);
  const auto of_bob = table.create(named("bob"), 1'000);
  std::vector<protocol::SessionPtr> of_alice;
  for (int i = 0; i < 10; ++i) of_alice.push_back(table.create(named("alice"), 1'000));
  CHECK(table.size() == 4);
  CHECK(table.find(of_bob->id(), named("bob"), 1'000));
  for (int i = 0; i < 10; ++i) CHECK((table.find(of_alice[i]->id(), named("alice"), 1'000) != nullptr) == (i >= 7));
}

TEST_CASE("of what a client says of itself a session keeps little") {
  Harness h;
  const auto initialize = [&](const std::string& info, const std::string& capabilities) -> FakeReply& {
    return h.legacy(R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
                    R"("capabilities":)" + capabilities + R"(,"clientInfo":)" + info + "}}");
  };
  const auto kept = [&](FakeReply& reply) {
    return h.server.sessions().find(reply.headers.at("Mcp-Session-Id"), nullptr, h.loop.now_ms())->client().info;
  };
  const std::string small = R"({"name":"n","version":"1","icons":[{"src":"https://a/b"}]})";
  CHECK(kept(initialize(small, "{}")) == small);
  const std::string icon(1'000'000, 'x');
  CHECK(kept(initialize(R"({"name":"n","icons":[{"src":"data:)" + icon + R"("}],"version":"1"})", "{}")) ==
        R"({"name":"n","version":"1"})");
  CHECK(kept(initialize(R"({"name":")" + icon + R"(","version":"1"})", "{}")) == R"({"version":"1"})");
  // At the limit of each, and one byte past it.
  const auto sized = [](std::string begin, std::size_t bytes) {
    begin += std::string(bytes - begin.size() - 2, 'x');
    return begin + R"("})";
  };
  constexpr std::size_t kMost = limits::kClientBytesMax / 2;
  const std::string most = sized(R"({"name":"n","description":")", kMost);
  CHECK(kept(initialize(most, sized(R"({"x":")", kMost))) == most);
  CHECK(kept(initialize(sized(R"({"name":"n","description":")", kMost + 1), "{}")) == R"({"name":"n"})");
  CHECK(at(initialize("{}", sized(R"({"x":")", kMost + 1)).body, "/error/code") == "-32602");
}

TEST_CASE("events that one principal's clients do not fetch take its share of the memory, and nobody else's") {
  protocol::MemoryEventLogs logs;
  protocol::SessionTable table(logs, 10, 1'000);
  const auto greedy = table.create(named("greedy"), 0);
  const std::string half(protocol::share_of(limits::kEventBytesMax) / 2, 'x');
  const auto first = greedy->open_log();
  first->append(half);
  CHECK_FALSE(first->broken());
  for (const auto& [principal, broken] : {std::pair("greedy", true), std::pair("other", false), std::pair("", false)}) {
    const auto log = table.create(named(principal), 0)->open_log();
    log->append(half);
    CHECK(log->broken() == broken);
  }
}

TEST_CASE("an idle session expires") {
  protocol::MemoryEventLogs logs;
  protocol::SessionTable table(logs, 10, 1'000);
  const auto session = table.create(named(""), 5'000);
  CHECK(table.find(session->id(), named(""), 4'999));  // a loop whose clock is behind
  CHECK(table.find(session->id(), named(""), 6'000));
  CHECK(table.find(session->id(), named(""), 7'000));
  CHECK_FALSE(table.find(session->id(), named(""), 8'001));
  CHECK(table.size() == 0);
}

TEST_CASE("a session whose client listens is not idle") {
  protocol::MemoryEventLogs logs;
  protocol::SessionTable table(logs, 2, 1'000);
  const auto listening = table.create(named(""), 1'000);
  const auto reader = listening->open_side_log()->attach([] {});
  const auto idle = table.create(named(""), 1'500);
  const auto newest = table.create(named(""), 1'600);
  CHECK(table.find(listening->id(), named(""), 1'700));
  CHECK_FALSE(table.find(idle->id(), named(""), 1'700));
  CHECK(table.find(newest->id(), named(""), 9'000) == nullptr);
  CHECK(table.find(listening->id(), named(""), 9'000));
  listening->side_log()->detach(reader);
  CHECK_FALSE(table.find(listening->id(), named(""), 20'000));
}

TEST_CASE("a changed list is told once to each session, on its latest stream, and no sooner than the interval again") {
  Harness h({.list_changed_interval_ms = 3'600'000});
  const std::string session = h.initialize();
  FakeReply& first = h.send(get(session));
  FakeReply& second = h.send(get(session));
  FakeReply& other = h.send(get(h.initialize()));
  CHECK(first.streaming);
  h.add_tool("new", [](const registry::Call&, registry::Listener&) {});
  CHECK(first.events.empty());
  CHECK(second.events ==
        std::vector<std::string>{R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})"});
  CHECK(other.events.size() == 1);
  other.leave();
  h.add_tool("newer", [](const registry::Call&, registry::Listener&) {});
  h.add_tool("newest", [](const registry::Call&, registry::Listener&) {});
  CHECK(second.events.size() == 1);
  h.server.at(0).end_streams();
  CHECK(second.ended);
}

TEST_CASE("a call is cancelled by its id, and its HTTP answer ends empty") {
  Harness h;
  h.add_tool("slow", [](const registry::Call&, registry::Listener&) {});
  const std::string session = h.initialize();
  FakeReply& reply = h.legacy(call("7", "slow"), session);
  const std::string cancel = R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})";
  h.legacy(cancel, h.initialize());
  h.turn();
  CHECK(h.provider.cancelled.empty());
  h.legacy(cancel, session);
  h.turn();
  CHECK(h.provider.cancelled == std::vector{registry::CancelReason::client});
  CHECK(reply.ended);
  CHECK(reply.body.empty());
  h.provider.end_with_text("late");
  CHECK(h.server.at(0).calls().size() == 0);
}

TEST_CASE("an id that is in flight cannot be used again until it is answered") {
  Harness h;
  h.add_tool("slow", [](const registry::Call&, registry::Listener&) {});
  const std::string session = h.initialize();
  FakeReply& first = h.legacy(call("7", "slow"), session);
  FakeReply& second = h.legacy(call("7", "slow"), session);
  CHECK(at(second.body, "/error/code") == "-32600");
  FakeReply& string_id = h.legacy(call("\"7\"", "slow"), session);
  CHECK_FALSE(string_id.ended);
  while (!h.provider.waiting.empty()) h.provider.end_with_text("done");
  CHECK(at(first.body, "/result/content/0/text") == "\"done\"");
  CHECK_FALSE(h.legacy(call("7", "slow"), session).ended);
  h.provider.end_with_text("again");
}

TEST_CASE("a legacy client that disconnects has not cancelled its call") {
  Harness h;
  h.add_tool("slow", [](const registry::Call&, registry::Listener&) {});
  FakeReply& reply = h.legacy(call("7", "slow"), h.initialize());
  reply.leave();
  CHECK(h.provider.cancelled.empty());
  h.provider.end_with_text("late");
}

TEST_CASE("calls that still run at the end are told, and so are their clients") {
  Harness h;
  h.add_tool("slow", [](const registry::Call&, registry::Listener&) {});
  FakeReply& reply = h.legacy(call("7", "slow"), h.initialize());
  h.server.at(0).calls().cancel_all(registry::CancelReason::shutdown);
  CHECK(at(reply.body, "/error/message") == "\"The server is shutting down\"");
  CHECK(h.provider.cancelled == std::vector{registry::CancelReason::shutdown});
  h.provider.end_with_text("late");
}
