// subscriptions/listen, and what legacy sessions watch.
#include <algorithm>

#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;
using registry::Kind;

namespace {

FakeReply& listen(Harness& h, std::string wishes) {
  return h.modern("subscriptions/listen", "\"notifications\":" + wishes + ",");
}

void none(const registry::Call&, registry::Listener&) {}

}  // namespace

TEST_CASE("a subscription is acknowledged first, and tells only what was asked for") {
  Harness h;
  h.add(Kind::resource, "x:a", none);
  FakeReply& tools = listen(h, R"({"toolsListChanged":true,"resourceSubscriptions":["x:a","x:none"]})");
  FakeReply& prompts = listen(h, R"({"promptsListChanged":true,"toolsListChanged":false})");
  CHECK(
      tools.events ==
      std::vector<std::string>{
          R"({"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":1},"notifications":{"toolsListChanged":true,"resourceSubscriptions":["x:a"]}}})"});
  h.add_tool("new", none);
  h.add(Kind::prompt, "new", none);
  h.server.resource_updated("x:a");
  h.server.resource_updated("x:b");
  h.turn();
  REQUIRE(tools.events.size() == 3);
  CHECK(at(tools.events[1], "/method") == "\"notifications/tools/list_changed\"");
  CHECK(at(tools.events[1], "/params/_meta/io.modelcontextprotocol~1subscriptionId") == "1");
  CHECK(at(tools.events[2], "/params/uri") == "\"x:a\"");
  REQUIRE(prompts.events.size() == 2);
  CHECK(at(prompts.events[1], "/method") == "\"notifications/prompts/list_changed\"");
}

TEST_CASE("a subscription ends when the client leaves, or with an answer when the server ends it") {
  Harness h;
  FakeReply& gone = listen(h, R"({"toolsListChanged":true})");
  FakeReply& kept = listen(h, R"({"toolsListChanged":true})");
  gone.leave();
  h.add_tool("new", none);
  CHECK(gone.events.size() == 1);
  h.server.at(0).end_streams();
  CHECK(kept.ended);
  CHECK(at(kept.events.back(), "/result/resultType") == "\"complete\"");
  CHECK(at(kept.events.back(), "/result/_meta/io.modelcontextprotocol~1subscriptionId") == "1");
}

TEST_CASE("wishes that make no sense are refused") {
  Harness h;
  for (const char* wishes : {"null", "[]", R"({"toolsListChanged":1})", R"({"resourceSubscriptions":"x:a"})",
                             R"({"resourceSubscriptions":[1]})"}) {
    CHECK(at(listen(h, wishes).body, "/error/code") == "-32602");
  }
  std::string many = "\"x:a\"";
  for (unsigned i = 1; i < limits::kSubscriptionUrisMax; ++i) many += ",\"x:a\"";
  CHECK(listen(h, R"({"resourceSubscriptions":[)" + many + "]}").streaming);
  CHECK_FALSE(listen(h, R"({"resourceSubscriptions":[)" + many + ",\"x:a\"]}").streaming);
}

TEST_CASE("a legacy session is told of the resources it watches, on its stream") {
  Harness h;
  h.add(Kind::resource, "x:a", none);
  const std::string session = h.initialize();
  FakeReply& stream = h.send({"", {{"Accept", "text/event-stream"}, {"Mcp-Session-Id", session}}, "GET"});
  const auto ask = [&](std::string method, std::string uri) {
    return h
        .legacy(
            R"({"jsonrpc":"2.0","id":1,"method":"resources/)" + method + R"(","params":{"uri":")" + uri + "\"}}",
            session)
        .body;
  };
  CHECK(ask("subscribe", "x:a") == R"({"jsonrpc":"2.0","id":1,"result":{}})");
  CHECK(at(ask("subscribe", "x:none"), "/error/code") == "-32002");
  h.server.resource_updated("x:a");
  h.turn();
  REQUIRE(stream.events.size() == 1);
  CHECK(stream.events[0] ==
        R"({"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x:a"}})");
  ask("unsubscribe", "x:a");
  h.server.resource_updated("x:a");
  h.turn();
  CHECK(stream.events.size() == 1);
}

TEST_CASE("an update reaches those who watch the resource in another spelling, in their own") {
  std::vector<std::string> watched;
  Harness h({.watches = std::make_unique<protocol::LocalWatches>([&](std::string_view uri, bool on) {
    watched.push_back(std::string(uri) + (on ? " on" : " off"));
  })});
  h.add(Kind::resource, "x://h/caf\u00e9", none);
  const std::string session = h.initialize();
  FakeReply& stream = h.send({"", {{"Accept", "text/event-stream"}, {"Mcp-Session-Id", session}}, "GET"});
  const auto asks = [&](const char* method, const char* uri) {
    return h
        .legacy(fmt::format(R"({{"jsonrpc":"2.0","id":1,"method":"resources/{}","params":{{"uri":"{}"}}}})", method,
                            uri),
                session)
        .body;
  };
  CHECK(at(asks("subscribe", "X://H/caf%c3%a9"), "/result") == "{}");
  FakeReply& modern = listen(h, R"({"resourceSubscriptions":["x://h/caf%C3%A9"]})");
  CHECK(watched == std::vector<std::string>{"x://h/caf\u00e9 on"});
  h.server.resource_updated("x://h/caf\u00e9");
  h.server.resource_updated("x://h/caf%C3%A9");
  h.turn();
  REQUIRE(stream.events.size() == 2);
  CHECK(at(stream.events[1], "/params/uri") == "\"X://H/caf%c3%a9\"");
  REQUIRE(modern.events.size() == 3);
  CHECK(at(modern.events[1], "/params/uri") == "\"x://h/caf%C3%A9\"");
  h.add(Kind::resource_template, "search:all{?q,lang}", none);
  CHECK(at(asks("subscribe", "search:all?q=1&lang=de"), "/result") == "{}");
  h.server.resource_updated("search:all?lang=de&q=1");
  h.server.resource_updated("search:all?lang=de&q=2");
  h.turn();
  CHECK(at(stream.events.back(), "/params/uri") == "\"search:all?q=1&lang=de\"");
  CHECK(std::count_if(stream.events.begin(), stream.events.end(),
                      [](const std::string& event) { return event.find("search:all") != event.npos; }) == 1);
  asks("unsubscribe", "search:all?lang=de&q=1");
  CHECK(watched.back() == "search:all?q=1&lang=de off");
  asks("unsubscribe", "x://h/caf\u00e9");
  modern.leave();
  CHECK(watched.back() == "x://h/caf\u00e9 off");
}
