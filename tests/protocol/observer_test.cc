// Who is told of requests and calls: what of, and how often.
#include "protocol/harness.h"
#include "protocol/request_observer.h"
#include "registry/ending.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;
using registry::Call;
using registry::Ending;
using registry::Listener;

namespace {

std::string name_of(const registry::Principal* principal) { return principal ? principal->id : "-"; }

struct Observer final : registry::CallObserver, protocol::RequestObserver {
  std::vector<std::string> heard;

  void on_call_begun(const registry::CallFacts& facts) override {
    heard.push_back(fmt::format("call {} of {} for {}, {} bytes, round {}", facts.name, facts.plugin,
                                name_of(facts.principal), facts.bytes, facts.round));
  }
  void on_call_ended(const registry::CallFacts& facts, const registry::CallEnd& end) override {
    heard.push_back(fmt::format("end of {}: {} {} {} {}", facts.name, static_cast<int>(end.how), end.is_error,
                                end.rpc_code, end.bytes));
  }
  void on_request_begun(const protocol::RequestFacts& facts) override {
    heard.push_back(fmt::format("request {} for {}, {}", facts.method, name_of(facts.principal),
                                facts.era == protocol::Era::modern ? "modern" : "legacy"));
  }
  void on_request_ended(const protocol::RequestFacts& facts, const protocol::RequestEnd& end) override {
    heard.push_back(fmt::format("end of {}: {} {}", facts.method, static_cast<int>(end.how), end.code));
    bytes = end.bytes;
  }
  void on_request_denied(const protocol::DeniedRequest& request) override {
    heard.push_back(fmt::format("denied {} {}", request.path, request.status));
  }
  std::size_t bytes = 0;
};

struct Watched {
  explicit Watched(protocol::AccessRules rules = {}) : h(options(), std::move(rules)) {
    h.registry.observe(observer);
    h.add_tool("echo", [this](const Call&, Listener&) { h.provider.end_with_text("hi"); },
               R"({"inputSchema":{"type":"object","properties":{"n":{"type":"integer"}}}})");
    h.add_tool("stay", [](const Call&, Listener&) {});
    h.add_tool("fail", [this](const Call&, Listener&) { h.provider.end(registry::failed(-32000, "no")); });
    h.add_tool("wrong", [this](const Call&, Listener&) { h.provider.end(registry::tool_error("no")); });
  }
  protocol::ServerOptions options() {
    protocol::ServerOptions options;
    options.observers = {&observer};
    return options;
  }
  std::vector<std::string> take() { return std::exchange(observer.heard, {}); }

  Observer observer;
  Harness h;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a call is told of from its beginning to its end, inside of its request") {
  Watched w;
  w.h.modern("tools/call", R"("name":"echo","arguments":{"n": 1},)", "echo");
  CHECK(w.take() == Lines{"request tools/call for -, modern", "call echo of fake for -, 8 bytes, round 0",
                          "end of echo: 0 false 0 27", "end of tools/call: 0 0"});
  CHECK(w.observer.bytes > 27);
  w.h.modern("tools/call", R"("name":"fail",)", "fail");
  CHECK(w.take() == Lines{"request tools/call for -, modern", "call fail of fake for -, 0 bytes, round 0",
                          "end of fail: 1 false -32000 0", "end of tools/call: 1 -32000"});
  w.h.modern("tools/call", R"("name":"wrong",)", "wrong");
  CHECK(w.take()[2] == "end of wrong: 0 true 0 27");
}

TEST_CASE("what no plugin has run is a request, and no call") {
  Watched w;
  w.h.modern("tools/call", R"("name":"none",)", "none");
  CHECK(w.take() == Lines{"request tools/call for -, modern", "end of tools/call: 1 -32602"});
  w.h.modern("tools/call", R"("name":"echo","arguments":{"n":"x"},)", "echo");
  CHECK(w.take() == Lines{"request tools/call for -, modern", "end of tools/call: 0 0"});
  w.h.modern("no/such", "");
  CHECK(w.take() == Lines{"request no/such for -, modern", "end of no/such: 1 -32601"});
}

TEST_CASE("a client that leaves ends its request, and the plugin its call") {
  Watched w;
  FakeReply& reply = w.h.modern("tools/call", R"("name":"stay",)", "stay");
  w.take();
  reply.leave();
  CHECK(w.take() == Lines{"end of tools/call: 2 0"});
  w.h.provider.end_with_text("late");
  CHECK(w.take() == Lines{"end of stay: 0 false 0 29"});
}

TEST_CASE("a session's requests are told of with their era, and whoever has a token with the name") {
  protocol::AccessRules rules;
  rules.authenticator = test::known_by([](std::string_view token) {
    return std::make_shared<registry::Principal>(
        registry::Principal{.id = std::string(token), .kind = registry::Principal::Kind::token});
  });
  Watched w(std::move(rules));
  w.h.modern("tools/call", R"("name":"echo",)", "echo", "{}", "", "alice");
  const Lines lines = w.take();
  CHECK(lines[0] == "request tools/call for alice, modern");
  CHECK(lines[1] == "call echo of fake for alice, 0 bytes, round 0");

  Watched legacy;
  const std::string session = legacy.h.initialize();
  legacy.h.legacy(R"({"jsonrpc":"2.0","id":5,"method":"tools/list"})", session);
  CHECK(legacy.take() == Lines{"request initialize for -, legacy", "end of initialize: 0 0",
                               "request tools/list for -, legacy", "end of tools/list: 0 0"});
}

TEST_CASE("an observer hears of so much of a method and no more") {
  Watched w;
  for (const std::size_t size : {128, 129}) {
    w.h.modern(std::string(size, 'm'), "");
    CHECK(w.take()[0] == "request " + std::string(128, 'm') + " for -, modern");
  }
}

TEST_CASE("a request that is refused before its method is known is told of, with what its client is told") {
  Watched w;
  const std::vector<std::pair<std::string, std::string>> json = {{"Content-Type", "application/json"},
                                                                 {"MCP-Protocol-Version", "2026-07-28"}};
  w.h.send({"{", json});
  CHECK(w.take() == Lines{"request  for -, modern", "end of : 1 -32700"});
  w.h.send({R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})", json});  // without what modern requests say of themselves
  const Lines lines = w.take();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == "request tools/list for -, modern");
  CHECK_THAT(lines[1], Catch::StartsWith("end of tools/list: 1 -3"));
  w.h.legacy(R"({"jsonrpc":"2.0","id":5,"method":"tools/list"})", "unknown");
  CHECK(w.take() == Lines{"request tools/list for -, legacy", "end of tools/list: 1 -32600"});
  const std::string session = w.h.initialize("2025-03-26");
  w.take();
  Post batch{R"([{"jsonrpc":"2.0","id":1,"method":"initialize"},{"jsonrpc":"2.0","id":2,"method":"ping"}])"};
  batch.headers = {{"Content-Type", "application/json"}, {"Mcp-Session-Id", session}, {"MCP-Protocol-Version", "2025-03-26"}};
  w.h.send(batch);
  CHECK(w.take() == Lines{"request initialize for -, legacy", "end of initialize: 1 -32600", "request ping for -, legacy",
                          "end of ping: 0 0"});
  batch.body = "[";
  w.h.send(batch);
  CHECK(w.take() == Lines{"request  for -, legacy", "end of : 1 -32700"});
  w.h.send(Post{"[]", {{"Content-Type", "application/json"}, {"MCP-Protocol-Version", "2025-11-25"}}});
  CHECK(w.take() == Lines{"request  for -, legacy", "end of : 1 -32600"});
  w.h.send(Post{"[]", {{"Content-Type", "application/json"}, {"Mcp-Session-Id", "unknown"}, {"MCP-Protocol-Version", "2025-03-26"}}});
  CHECK(w.take() == Lines{"request  for -, legacy", "end of : 1 -32600"});
  w.h.send(Post{"[]", json});
  CHECK(w.take() == Lines{"request  for -, modern", "end of : 1 -32600"});
}

TEST_CASE("a request that may not come in is told of, whatever it asks") {
  protocol::AccessRules rules;
  rules.authenticator = known_by([](std::string_view token) { return token == "good" ? named("alice") : nullptr; });
  Watched w(std::move(rules));
  w.h.modern("tools/list");
  w.h.modern("tools/list", "", "", "{}", "", "bad");
  w.h.send({.body = "", .method = "GET", .path = "/elsewhere", .host = "evil.example"});
  w.h.send({.body = "", .headers = {{"Access-Control-Request-Method", "POST"}, {"Origin", "https://evil.example"}}, .method = "OPTIONS"});
  CHECK(w.take() == Lines{"denied /mcp 401", "denied /mcp 401", "denied /mcp 403"});
  w.h.send({.body = "", .method = "GET", .path = "/mcp/" + std::string(200, 'x'), .host = "evil.example"});
  w.h.modern("tools/list", "", "", "{}", "", "good");
  CHECK(w.take() == Lines{"request tools/list for alice, modern", "end of tools/list: 0 0"});
}
