// What a plugin asks of the client: written once, told to each era in its own way.
#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

const std::string kQuestion = R"({"method":"elicitation/create","params":{"message":"Who?",)"
                              R"("requestedSchema":{"type":"object","properties":{}}}})";

// Asks who, in the first round; greets in the second.
void add_asking_tool(Harness& h, std::string question = kQuestion) {
  h.add_tool("greet", [&h, question](const registry::Call& call, registry::Listener&) {
    registry::Ending ending;
    if (call.round == 0) {
      ending.how = registry::Ending::How::suspended;
      ending.input_requests = {{"who", question}};
      ending.state = "kept";
      ending.state_version = 4;
      return h.provider.end(std::move(ending));
    }
    h.provider.end_with_text(fmt::format("{} {} {}", call.round, call.state, call.state_version));
  });
}

std::string call(std::string session_less_id = "1") {
  return R"({"jsonrpc":"2.0","id":)" + session_less_id +
         R"(,"method":"tools/call","params":{"name":"greet","arguments":{"a":1}}})";
}

}  // namespace

TEST_CASE("a modern client is answered with the question and a sealed state, and comes back with both") {
  Harness h;
  add_asking_tool(h);
  const std::string first =
      h.modern("tools/call", R"("name":"greet","arguments":{"a":1},)", "greet", R"({"elicitation":{}})").body;
  CHECK(at(first, "/result/resultType") == "\"input_required\"");
  CHECK(at(first, "/result/inputRequests/who") == kQuestion);
  const std::string state = at(first, "/result/requestState");
  REQUIRE(state.size() > 2);
  CHECK(state.find("kept") == std::string::npos);
  const auto again = [&](std::string params) {
    return h.modern("tools/call", params, "greet", R"({"elicitation":{}})").body;
  };
  const std::string responses = R"("inputResponses":{"who":{"action":"accept"}},)";
  const std::string good = again(R"("name":"greet","arguments":{"a":1},"requestState":)" + state + "," + responses);
  CHECK(at(good, "/result/content/0/text") == "\"1 kept 4\"");

  const std::string tampered = state.substr(0, state.size() - 1) + "-TAMPERED\"";
  for (const std::string& bad :
       {R"("name":"greet","arguments":{"a":1},"requestState":)" + tampered + "," + responses,
        R"("name":"greet","arguments":{"a":2},"requestState":)" + state + "," + responses,
        R"("name":"greet","arguments":{"a":1},"requestState":5,)" + responses,
        R"("name":"greet","arguments":{"a":1},"inputResponses":null,"requestState":)" + state + ",",
        R"("name":"greet","arguments":{"a":1},"inputResponses":{"who":5},"requestState":)" + state + ","}) {
    INFO(bad);
    CHECK(at(again(bad), "/error/code") == "-32602");
  }
}

TEST_CASE("an answer that comes too late is refused, in both eras") {
  Harness h({.input_timeout_ms = 1});
  add_asking_tool(h);
  const std::string asked = h.modern("tools/call", R"("name":"greet",)", "greet", R"({"elicitation":{}})").body;
  const std::string state = at(asked, "/result/requestState");
  FakeReply& waiting = h.legacy(call(), h.initialize("2025-11-25", R"({"elicitation":{}})"));
  CHECK(waiting.events.size() == 1);
  while (!waiting.ended) h.turn();
  CHECK(at(waiting.events.back(), "/result/content/0/text") == "\"The client did not answer in time\"");
  const std::string late =
      h.modern("tools/call",
               R"("name":"greet","inputResponses":{"who":{"action":"accept"}},"requestState":)" + state + ",",
               "greet", R"({"elicitation":{}})")
          .body;
  CHECK(at(late, "/error/code") == "-32602");
  CHECK(at(late, "/error/message").find("expired") != std::string::npos);
}

TEST_CASE("what a client cannot be asked is an error, not a question") {
  Harness h;
  add_asking_tool(h);
  FakeReply& reply = h.modern("tools/call", R"("name":"greet",)", "greet", R"({"sampling":{}})");
  CHECK(reply.status == 400);
  CHECK(at(reply.body, "/error/code") == "-32021");
  CHECK(h.modern("tools/call", R"("name":"greet",)", "greet", R"({"elicitation":{"url":{}}})").status == 400);
  CHECK(at(h.legacy(call(), h.initialize()).body, "/result/isError") == "true");
  CHECK(at(h.legacy(call()).body, "/result/isError") == "true");

  Harness odd;
  add_asking_tool(odd, R"({"method":"tools/list"})");
  CHECK(at(odd.modern("tools/call", R"("name":"greet",)", "greet", R"({"elicitation":{}})").body,
           "/result/isError") == "true");
}

TEST_CASE("a legacy client is asked on its request's stream, and answers with a message of its own") {
  Harness h;
  add_asking_tool(h);
  const std::string session = h.initialize("2025-06-18", R"({"elicitation":{}})");
  FakeReply& reply = h.legacy(call(), session);
  REQUIRE(reply.events.size() == 1);
  CHECK(at(reply.events[0], "/method") == "\"elicitation/create\"");
  CHECK(at(reply.events[0], "/params/message") == "\"Who?\"");
  const std::string id = at(reply.events[0], "/id");
  const auto answer = [&](std::string to, std::string in) {
    h.legacy(R"({"jsonrpc":"2.0","id":)" + to + R"(,"result":{"action":"accept"}})", in);
    h.turn();
  };
  answer("99", session);
  answer(id, h.initialize("2025-06-18", R"({"elicitation":{}})"));
  CHECK_FALSE(reply.ended);
  answer(id, session);
  REQUIRE(reply.ended);
  CHECK(at(reply.events.back(), "/result/content/0/text") == "\"1 kept 4\"");
  answer(id, session);
  CHECK(h.server.at(0).calls().size() == 0);
}

TEST_CASE("a legacy client that answers with an error or cancels ends the call, one that leaves does not") {
  Harness h;
  add_asking_tool(h);
  const std::string session = h.initialize("2025-06-18", R"({"elicitation":{}})");
  FakeReply& refused = h.legacy(call("1"), session);
  h.legacy(R"({"jsonrpc":"2.0","id":)" + at(refused.events[0], "/id") + R"(,"error":{"code":-1,"message":"no"}})",
           session);
  h.turn();
  CHECK(at(refused.events.back(), "/result/isError") == "true");
  FakeReply& left = h.legacy(call("2"), session);  // may come back, and is waited for
  left.leave();
  h.turn();
  CHECK(h.server.at(0).calls().size() == 1);
  h.legacy(R"({"jsonrpc":"2.0","id":)" + at(left.events[0], "/id") + R"(,"result":{"action":"decline"}})", session);
  h.turn();
  FakeReply& cancelled = h.legacy(call("3"), session);
  h.legacy(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}})", session);
  h.turn();
  CHECK(cancelled.ended);
  CHECK(h.server.at(0).calls().size() == 0);
}

TEST_CASE("the item is looked up anew when the answer comes: its plugin may have been replaced") {
  Harness h;
  add_asking_tool(h);
  const std::string session = h.initialize("2025-06-18", R"({"elicitation":{}})");
  FakeReply& reply = h.legacy(call(), session);
  h.registry.replace("fake", nullptr, {});
  h.turn();
  h.legacy(R"({"jsonrpc":"2.0","id":)" + at(reply.events[0], "/id") + R"(,"result":{}})", session);
  h.turn();
  CHECK(at(reply.events.back(), "/result/isError") == "true");
  CHECK(h.server.at(0).calls().size() == 0);
}
