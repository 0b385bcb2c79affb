// What cannot be read is refused with the id that it has; what is a response is never answered.
#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

Post post(std::string body, std::string version = "") {
  Post post{std::move(body), {{"Content-Type", "application/json"}}};
  if (!version.empty()) post.headers.push_back({"MCP-Protocol-Version", version});
  return post;
}

const std::string kUnreadable[] = {
    R"({"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":)" + std::string(200, '[') + std::string(200, ']') + "}}",
    R"({"jsonrpc":"2.0","id":7,"method":"ping","params":{"s":"\ud83d"}})",
    R"({"jsonrpc":"2.0","id":7,"method":"ping","params":{"n":1e400}})",
    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\",\"params\":{\"s\":\"\xff\"}}",
    R"({"jsonrpc":"2.0","id":7,"method":"ping","params":{"name":1,"name":2}})",
};

const std::string kResponses[] = {
    R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}})",
    R"({"jsonrpc":"2.0","id":99,"result":{}})",
    R"({"jsonrpc":"2.0","id":1.5,"result":{}})",
    R"({"jsonrpc":"2.0","result":{}})",
    R"({"id":1,"result":{}})",
    R"({"jsonrpc":"2.0","id":1,"result":{"s":"\ud83d"}})",
};

}  // namespace

TEST_CASE("a refusal over HTTP carries the id wherever it can be read") {
  Harness h;
  for (const std::string& text : kUnreadable) {
    for (const char* version : {"", "2025-11-25", "2026-07-28"}) {
      INFO(text.substr(0, 80) << " in " << version);
      const FakeReply& reply = h.send(post(text, version));
      CHECK(at(reply.body, "/id") == "7");
      CHECK_FALSE(at(reply.body, "/error/code").empty());
    }
  }
}

TEST_CASE("what has no id that can be read is refused with null in the versions that want it, and without in others") {
  Harness h;
  for (const char* text : {"nonsense", R"({"jsonrpc":"2.0","id":true,"method":"ping"})",
                           R"({"jsonrpc":"2.0","id":1,"id":2,"method":"ping"})", "[]"}) {
    INFO(text);
    for (const char* version : {"", "2024-11-05", "2025-03-26", "2025-06-18"}) {
      CHECK(at(h.send(post(text, version)).body, "/id") == "null");
    }
    for (const char* version : {"2025-11-25", "2026-07-28"}) {
      const FakeReply& reply = h.send(post(text, version));
      CHECK_FALSE(at(reply.body, "/error/code").empty());
      CHECK(at(reply.body, "/id").empty());
    }
  }
}

TEST_CASE("a response over HTTP is acknowledged or refused by its status, and never answered by a message") {
  Harness h;
  for (const std::string& text : kResponses) {
    for (const char* version : {"", "2025-11-25"}) {
      INFO(text);
      const FakeReply& reply = h.send(post(text, version));
      CHECK(reply.body.empty());
      CHECK((reply.status == 202 || reply.status == 400));
    }
  }
  CHECK(h.send(post(kResponses[0])).status == 202);
  CHECK(h.send(post(kResponses[2])).status == 400);
}

TEST_CASE("a response in a batch is never answered, whatever is wrong with it") {
  Harness h;
  std::string batch = "[";
  for (const std::string& text : kResponses) {
    if (text.find("ud83d") == std::string::npos) batch += text + ",";  // which would spoil the others, too
  }
  const FakeReply& reply = h.send(post(batch + R"({"jsonrpc":"2.0","id":8,"method":"ping"}])", "2025-03-26"));
  CHECK(at(reply.body, "/0/id") == "8");
  CHECK(at(reply.body, "/1").empty());
}

TEST_CASE("on the stream of 2024-11-05 a refusal has its id, or null, and a response has no answer") {
  Harness h;
  FakeReply& stream = h.send({"", {{"Accept", "text/event-stream"}}, "GET", "/sse"});
  const std::string address = "/" + stream.events.at(0);  // as it stands to /sse
  const auto say = [&](const std::string& body) {
    stream.conversation.client_sent(body);
    h.send({body, {{"Content-Type", "application/json"}}, "POST", address});
    h.turn();
  };
  for (const std::string& text : kResponses) say(text);
  CHECK(stream.events.size() == 1);
  for (const std::string& text : kUnreadable) {
    say(text);
    CHECK(at(stream.events.back(), "/id") == "7");
  }
  say("nonsense");
  CHECK(at(stream.events.back(), "/id") == "null");
  CHECK(stream.events.size() == 2 + std::size(kUnreadable));
}

TEST_CASE("a response that cannot be read ends the wait for it") {
  Harness h;
  h.add_tool("asks", [&](const registry::Call& call, registry::Listener&) {
    registry::Ending ending;
    if (call.round > 0) return h.provider.end_with_text(call.input_responses ? std::string(*call.input_responses) : "");
    ending.how = registry::Ending::How::suspended;
    ending.input_requests = {{"q", R"({"method":"elicitation/create","params":{"message":"?","requestedSchema":)"
                                   R"({"type":"object","properties":{}}}})"}};
    h.provider.end(std::move(ending));
  });
  const std::string session = h.initialize("2025-11-25", R"({"elicitation":{}})");
  FakeReply& call = h.legacy(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"asks"}})", session);
  h.turn();
  REQUIRE_FALSE(call.events.empty());
  const std::string id = at(call.events.back(), "/id");
  REQUIRE(at(call.events.back(), "/method") == "\"elicitation/create\"");
  h.legacy(R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":{"action":"accept","content":{"s":"\ud83d"}}})", session);
  h.turn();
  CHECK(at(call.events.back(), "/id") == "1");
}

TEST_CASE("a byte order mark before a message over HTTP is skipped") {
  Harness h;
  CHECK(at(h.send(post("\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\"}")).body, "/id") == "8");
  CHECK(at(h.send(post("\xef\xbb\xbf[{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"ping\"}]", "2025-03-26")).body,
           "/0/id") == "9");
}
