#include "client/mcp/connection.h"

#include "plugins/client/scripted_transport.h"
#include "support/catch.h"
#include "support/manual_time.h"

using namespace collet::client;
using Catch::Contains;

namespace {

// Writes down what it hears, in one order with all others.
struct Hearer final : Asker {
  Hearer(std::string its_name, std::vector<std::string>& said) : name(std::move(its_name)), heard(said) {}
  void on_answer(const Answer& answer) override {
    heard.push_back(name + (answer.ok() ? ": " + std::string(answer.result) : " fails: " + answer.problem()));
    lost = answer.lost;
  }
  void on_notification(const Message& message) override {
    heard.push_back(name + " " + std::string(message.method));
  }
  bool on_request(const Message& message) override {
    heard.push_back(name + " is asked " + std::string(message.method));
    return answers;
  }
  const std::string name;
  std::vector<std::string>& heard;
  std::optional<Lost> lost;
  bool answers = true;
};

struct Talk final : ConnectionListener {
  Loop loop;
  ManualTime time{loop};
  Wire wire;
  std::vector<std::string> heard;
  Connection connection{loop, R"({"name":"test"})", *this};
  Hearer a{"a", heard}, b{"b", heard};

  Talk() { connection.use(wire.transport()); }
  void comes(const std::string& text, RequestId stream = 0) {
    connection.transport_listener().on_text(text, stream);
  }
  std::string last() const { return heard.empty() ? "" : heard.back(); }

  void on_notification(const Message& message) override {
    heard.push_back("all " + std::string(message.method));
    if (holds_when_told) connection.hold();
  }
  bool holds_when_told = false;
  bool on_request(const Message&) override { return false; }
  void on_answer_elsewhere(RequestId id, std::string_view text) override {
    heard.push_back("elsewhere " + std::to_string(id) + " " + std::string(text));
  }
  bool on_unclear_answer(std::string_view) override {
    if (asks_elsewhere) heard.push_back("unclear");
    return asks_elsewhere;
  }
  bool asks_elsewhere = false;
  void on_garbage(const std::string&) override { heard.push_back("garbage"); }
  void on_unreachable(const std::string&) override { heard.push_back("unreachable"); }
  void on_down(const std::string&) override { heard.push_back("down"); }
};

using Heard = std::vector<std::string>;

}  // namespace

TEST_CASE("each answer goes to who has asked, in any order, and once") {
  Talk talk;
  const RequestId first = talk.connection.request("one", "", talk.a);
  const RequestId second = talk.connection.request("two", "", talk.b);
  talk.comes(result_text(second, R"({"n":2})"));
  talk.comes(R"({"jsonrpc":"2.0","id":")" + std::to_string(first) + R"(","result":{"n":1}})");  // as a string
  talk.comes(result_text(second, R"({"n":3})"));
  talk.comes(result_text(99));
  CHECK(talk.heard == Heard{R"(b: {"n":2})", R"(a: {"n":1})"});
  CHECK(talk.connection.in_flight() == 0);
  CHECK(talk.wire.finished == std::vector<std::pair<RequestId, bool>>{{second, true}, {first, true}});
}

TEST_CASE("the answer to a request that was sent elsewhere goes there, but for one that was adopted") {
  Talk talk;
  const RequestId elsewhere = RequestNumbers(1).next();
  talk.comes(result_text(elsewhere));
  CHECK(talk.heard == Heard{"elsewhere " + std::to_string(elsewhere) + " " + result_text(elsewhere)});
  talk.connection.adopt(elsewhere, talk.a);
  talk.comes(result_text(elsewhere, R"({"n":1})"));
  CHECK(talk.last() == R"(a: {"n":1})");
}

TEST_CASE("what comes while a connection is held is heard afterwards, in its order") {
  Talk talk;
  const RequestId first = talk.connection.request("one", "", talk.a);
  const RequestId second = talk.connection.request("two", "", talk.b);
  talk.connection.hold();
  talk.comes("[" + result_text(first) + "]");
  talk.connection.transport_listener().on_lost(second, {.message = "it is lost"});
  talk.comes(R"({"jsonrpc":"2.0","method":"notifications/a"})");
  talk.connection.transport_listener().on_down("it is gone");
  CHECK(talk.heard.empty());
  talk.connection.go_on([&] { talk.heard.push_back("first"); });
  CHECK(talk.heard == Heard{"first", "a: {}", "b fails: it is lost", "all notifications/a", "down"});
}

TEST_CASE("of a batch that has a connection held the rest waits, too, and again when it is held anew") {
  Talk talk;
  const RequestId id = talk.connection.request("one", "", talk.a);
  talk.holds_when_told = true;
  talk.comes(R"([{"jsonrpc":"2.0","method":"notifications/a"},{"jsonrpc":"2.0","method":"notifications/b"},)" + result_text(id) + "]");
  CHECK(talk.heard == Heard{"all notifications/a"});
  talk.connection.go_on([] {});
  CHECK(talk.heard == Heard{"all notifications/a", "all notifications/b"});
  talk.connection.go_on([] {});
  CHECK(talk.last() == "a: {}");
}

TEST_CASE("an answer of which one cannot tell whose it is may be one for elsewhere") {
  const std::string broken = R"({"jsonrpc":"2.0","result":{)";
  const std::string nobodys = R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what"}})";
  Talk talk;
  const RequestId id = talk.connection.request("one", "", talk.a);
  talk.asks_elsewhere = true;
  talk.comes(broken);
  talk.comes(nobodys);
  CHECK(talk.heard == Heard{"unclear", "unclear"});
  talk.comes(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"result":{)");  // of this one that is clear
  CHECK_THAT(talk.last(), Contains("a fails: its answer is no message"));
}

TEST_CASE("a modern request says who asks, in which version, and what the caller can do") {
  Talk talk;
  talk.connection.set_version(Era::modern, "2026-07-28");
  talk.connection.request("tools/call", R"("name":"t")", talk.a,
                          {.meta = R"("m":1)", .capabilities = R"({"roots":{}})"});
  CHECK(talk.wire.last().text ==
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","_meta":{)"
        R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
        R"("io.modelcontextprotocol/clientInfo":{"name":"test"},)"
        R"("io.modelcontextprotocol/clientCapabilities":{"roots":{}},"m":1}}})");
  talk.connection.set_version(Era::legacy, "2025-11-25");
  talk.connection.request("tools/call", R"("name":"t")", talk.a);
  CHECK(talk.wire.last().text == R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t"}})");
}

TEST_CASE("a request is lost when its time is over, and the remote is told unless it sees that") {
  for (const bool sees : {false, true}) {
    Talk talk;
    talk.wire.finish_cancels = sees;
    talk.connection.request("slow", "", talk.a, {.timeout_ms = 100});
    talk.connection.request("slower", "", talk.b, {.timeout_ms = 200});
    talk.time.pass(99);
    CHECK(talk.heard.empty());
    talk.time.pass(1);
    CHECK(talk.heard == Heard{"a fails: it has not answered in time"});
    CHECK(talk.wire.count("notifications/cancelled") == (sees ? 0 : 1));
    CHECK(talk.wire.finished == std::vector<std::pair<RequestId, bool>>{{1, false}});
    talk.comes(result_text(1));  // late
    talk.comes(result_text(2));
    talk.time.pass(1'000);
    CHECK(talk.heard.size() == 2);
    CHECK(talk.last() == "b: {}");
  }
}

TEST_CASE("who has cancelled hears nothing more, and the remote hears why") {
  Talk talk;
  const RequestId id = talk.connection.request("slow", "", talk.a, {.timeout_ms = 100});
  talk.connection.cancel(id, "no \"need\"");
  CHECK(talk.wire.last().text ==
        R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"no \"need\""}})");
  talk.comes(result_text(id));
  talk.time.pass(1'000);
  CHECK(talk.heard.empty());
}

TEST_CASE("half an answer ends the request that it was for, and no other") {
  Talk talk;
  talk.connection.request("one", "", talk.a);
  talk.connection.request("two", "", talk.b);
  talk.comes(R"({"jsonrpc":"2.0","id":2,"result":{"te)");
  REQUIRE(talk.heard.size() == 2);
  CHECK(talk.heard[0] == "garbage");
  CHECK_THAT(talk.heard[1], Contains("b fails: its answer is no message"));
  REQUIRE(talk.b.lost);
  CHECK(talk.b.lost->sent);
  talk.comes(R"(half a line of a log {"jsonrpc":"2.0","id":1,"result":{}})");
  CHECK(talk.last() == "a: {}");
}

TEST_CASE("an answer without an id is for the only one who waits, and for nobody where several do") {
  const std::string nameless = R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}})";
  Talk talk;
  talk.connection.request("one", "", talk.a);
  talk.connection.request("two", "", talk.b);
  talk.comes(nameless);
  CHECK(talk.heard.empty());
  talk.comes(nameless, 2);  // on the stream of that request
  CHECK(talk.heard == Heard{"b fails: what? (-32700)"});
  talk.comes(nameless);
  CHECK(talk.last() == "a fails: what? (-32700)");
}

TEST_CASE("what the remote says and asks while it works goes to whose request it is") {
  Talk talk;
  talk.connection.request("one", "", talk.a);
  talk.connection.request("two", "", talk.b);
  talk.comes(R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":2,"progress":1}})");
  talk.comes(R"({"jsonrpc":"2.0","method":"notifications/message","params":{}})", 1);
  talk.comes(R"({"jsonrpc":"2.0","method":"notifications/message","params":{}})");
  CHECK(talk.heard == Heard{"b notifications/progress", "a notifications/message", "all notifications/message"});
  talk.comes(R"({"jsonrpc":"2.0","id":"q","method":"sampling/createMessage"})", 2);
  CHECK(talk.last() == "b is asked sampling/createMessage");
  CHECK(talk.wire.sent.size() == 2);  // it will answer by itself
  talk.b.answers = false;
  talk.comes(R"({"jsonrpc":"2.0","id":"q","method":"sampling/createMessage"})", 2);
  CHECK_THAT(talk.wire.last().text, Contains(R"("id":"q")") && Contains("-32601"));
  talk.comes(R"({"jsonrpc":"2.0","id":7,"method":"ping"})");
  CHECK(talk.wire.last().text == R"({"jsonrpc":"2.0","id":7,"result":{}})");
}

TEST_CASE("a connection that goes down says so first, and then loses what is under way, in order") {
  Talk talk;
  talk.connection.request("one", "", talk.a);
  talk.connection.request("two", "", talk.b);
  talk.connection.transport_listener().on_down("it has crashed");
  CHECK(talk.heard == Heard{"down", "a fails: it has crashed", "b fails: it has crashed"});
  CHECK(talk.connection.in_flight() == 0);
}

TEST_CASE("a request for which there is no memory leaves nothing behind") {
  Talk talk;
  talk.wire.lacks_memory = true;
  CHECK_THROWS_AS(talk.connection.request("one", "", talk.a, {.timeout_ms = 100}), std::bad_alloc);
  CHECK(talk.connection.in_flight() == 0);
  talk.wire.lacks_memory = false;
  talk.time.pass(1'000);
  CHECK(talk.heard.empty());
}
