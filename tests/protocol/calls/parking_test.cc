// Requests to a plugin that is being replaced, and cannot exist twice: they wait, and are answered by what is there then.
#include "protocol/harness.h"
#include "protocol/http/plugin_routes.h"
#include "registry/parking.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;
using registry::Call;
using registry::Kind;
using registry::Listener;

namespace {

registry::ItemDef described(Kind kind, std::string name, std::string definition = "{}") {
  registry::ItemDef def;
  def.kind = kind;
  def.name = std::move(name);
  def.definition = std::move(definition);
  return def;
}

// The plugin that comes says which arguments it has been called with.
struct Replacement : Harness {
  Replacement() {
    site.add(protocol::plugin_routes(server.at(0)));
    provider.tools.push_back([this](const Call& call, Listener&) {
      provider.end_with_text(std::to_string(call.arguments.value_or("").size()));
    });
  }
  void park(std::vector<registry::ItemDef> items) {
    registry.replace("fake", &parking, std::move(items));
    turn();
  }
  void release(std::vector<registry::ItemDef> items) {
    registry.replace("fake", &provider, std::move(items));
    turn();
    parking.release(registry, [] {});
    turn();
  }
  std::size_t calls() { return server.at(0).calls().size(); }

  registry::Parking parking{"fake", {&loop}};
};

const std::string kNumber = R"({"inputSchema":{"type":"object","properties":{"n":{"type":"integer"}}}})";

}  // namespace

TEST_CASE("a client's call waits while its plugin is replaced, in both eras") {
  Replacement h;
  h.park({described(Kind::tool, "t")});
  const std::string session = h.initialize();
  FakeReply& modern = h.modern("tools/call", R"("name":"t","arguments":{"n": 1},)", "t");
  FakeReply& legacy = h.legacy(R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t","arguments":{"n":22}}})", session);
  CHECK(h.calls() == 2);
  CHECK(modern.status + legacy.status == 0);
  h.release({described(Kind::tool, "t", kNumber)});
  CHECK(at(modern.body, "/result/content/0/text") == R"("8")");
  CHECK(at(legacy.body, "/result/content/0/text") == R"("8")");
  CHECK(h.calls() == 0);
}

TEST_CASE("a call that has waited is told of arguments that do not fit any more as any other") {
  Replacement h;
  h.park({described(Kind::tool, "t")});
  FakeReply& reply = h.modern("tools/call", R"("name":"t","arguments":{"n":"one"},)", "t");
  h.release({described(Kind::tool, "t", kNumber)});
  FakeReply& fresh = h.modern("tools/call", R"("name":"t","arguments":{"n":"one"},)", "t");
  CHECK(at(reply.body, "/result/isError") == "true");
  CHECK(at(reply.body, "/result/content") == at(fresh.body, "/result/content"));
  CHECK(h.calls() == 0);
}

TEST_CASE("who is answered with a request that waits when its item is gone is told so") {
  Replacement h;
  h.park({described(Kind::tool, "t"), described(Kind::resource, "x:/a", R"({"name":"a"})"), described(Kind::route, "/a")});
  FakeReply& tool = h.modern("tools/call", R"("name":"t",)", "t");
  FakeReply& resource = h.modern("resources/read", R"("uri":"x:/a",)", "x:/a");
  FakeReply& page = h.send({"", {}, "GET", "/plugins/fake/a"});
  h.release({});
  CHECK(at(tool.body, "/result/content/0/text") == R"("What was called is gone; it was replaced meanwhile")");
  CHECK(at(resource.body, "/error/message") == R"("What was called is gone; it was replaced meanwhile")");
  CHECK(page.status == 500);
  CHECK(page.body == "What was called is gone; it was replaced meanwhile\n");
  CHECK(h.calls() == 0);
}

TEST_CASE("a request to a route waits, and one that leaves while it does never begins") {
  Replacement h;
  h.park({described(Kind::route, "/a"), described(Kind::route, "/b")});
  FakeReply& stays = h.send({"", {}, "GET", "/plugins/fake/a"});
  FakeReply& leaves = h.send({"", {}, "GET", "/plugins/fake/b"});
  leaves.leave();
  std::vector<std::string> asked;
  h.provider.tools[0] = [&](const Call& call, Listener& listener) {
    asked.push_back(call.web->method + std::string(call.name));
    listener.on_answer_head({200, {}});
    std::string body = "here";
    listener.on_answer_bytes(body);
    h.provider.end({});
  };
  h.release({described(Kind::route, "/a"), described(Kind::route, "/b")});
  CHECK(stays.body == "here");
  CHECK(asked == std::vector<std::string>{"GET/a"});
}

TEST_CASE("calls that wait end when the server does, whoever has made them") {
  Replacement h;
  h.park({described(Kind::tool, "t"), described(Kind::route, "/a")});
  FakeReply& call = h.modern("tools/call", R"("name":"t",)", "t");
  FakeReply& one = h.send({"", {}, "GET", "/plugins/fake/a"});
  FakeReply& other = h.send({"", {}, "GET", "/plugins/fake/a"});
  h.server.at(0).cancel_calls(registry::CancelReason::shutdown);
  CHECK(at(call.body, "/error/message") == R"("The server is shutting down")");
  while (h.calls() > 0 || one.status == 0 || other.status == 0) h.turn();
  CHECK(one.status == 500);
  CHECK(other.body == "the call was cancelled before it began\n");
}

TEST_CASE("a client hears when its call's time is over while it waits, and the call is over") {
  Replacement h;
  registry::ItemDef tool = described(Kind::tool, "t"), route = described(Kind::route, "/a");
  tool.timeout_ms = route.timeout_ms = 1;
  h.park({tool, route});
  FakeReply& reply = h.modern("tools/call", R"("name":"t",)", "t");
  FakeReply& page = h.send({"", {}, "GET", "/plugins/fake/a"});
  while (h.calls() > 0 || page.status == 0) h.turn();
  CHECK(at(reply.body, "/result/content/0/text") == R"("The tool did not answer within 1 ms")");
  CHECK(page.status == 504);
  h.release({tool, route});
  CHECK(h.provider.waiting.empty());
}

TEST_CASE("a client that has answered waits with its answer, and is told if its arguments do not fit any more") {
  Replacement h;
  int rounds = 0;
  h.provider.tools[0] = [&](const Call& call, Listener&) {
    ++rounds;
    if (call.round > 0) return h.provider.end_with_text(std::string(call.state));
    registry::Ending ending;
    ending.how = registry::Ending::How::suspended;
    ending.input_requests = {{"roots", R"({"method":"roots/list"})"}};
    ending.state = "kept";
    h.provider.end(std::move(ending));
  };
  registry::ItemDef there = described(Kind::tool, "t");
  h.registry.replace("fake", &h.provider, {there});
  h.turn();
  const std::string session = h.initialize();
  FakeReply& reply = h.legacy(R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t","arguments":{"n":"one"}}})", session);
  h.park({there});
  h.legacy(R"({"jsonrpc":"2.0","id":)" + at(reply.events.at(0), "/id") + R"(,"result":{"roots":[]}})", session);
  h.turn();
  CHECK(rounds == 1);
  CHECK(reply.events.size() == 1);
  SECTION("they fit") {
    h.release({there});
    CHECK(rounds == 2);
    CHECK(at(reply.events.back(), "/result/content/0/text") == R"("kept")");
  }
  SECTION("they do not") {
    there.definition = kNumber;
    h.release({there});
    CHECK(rounds == 1);
    CHECK(at(reply.events.back(), "/result/isError") == "true");
  }
  CHECK(h.calls() == 0);
}
