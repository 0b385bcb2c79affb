// What a plugin asks of the client: written once, told to each era in its own way.
#include <thread>

#include "base/clock.h"
#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

const std::string kWho = R"({"method":"elicitation/create","params":{"message":"Who?",)"
                              R"("requestedSchema":{"type":"object","properties":{}}}})";

// Asks who, in the first round; greets in the second.
void add_asking_tool(Harness& h, std::string question = kWho) {
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

std::string call_greet(std::string session_less_id = "1") {
  return R"({"jsonrpc":"2.0","id":)" + session_less_id +
         R"(,"method":"tools/call","params":{"name":"greet","arguments":{"a":1}}})";
}

// As it stands inside a JSON string.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

TEST_CASE("a modern client is answered with the question and a sealed state, and comes back with both") {
  Harness h;
  add_asking_tool(h);
  const std::string first =
      h.modern("tools/call", R"("name":"greet","arguments":{"a":1},)", "greet", R"({"elicitation":{}})").body;
  CHECK(at(first, "/result/resultType") == "\"input_required\"");
  CHECK(at(first, "/result/inputRequests/who") == kWho);
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
  FakeReply& waiting = h.legacy(call_greet(), h.initialize("2025-11-25", R"({"elicitation":{}})"));
  CHECK(waiting.events.size() == 1);
  while (!waiting.ended) h.turn();
  CHECK(at(waiting.events.back(), "/result/content/0/text") == "\"The client did not answer in time\"");
  const std::uint64_t past = wall_ms() + 1;  // the first one was sealed before
  while (wall_ms() <= past) std::this_thread::yield();
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
  CHECK(at(h.legacy(call_greet(), h.initialize()).body, "/result/isError") == "true");
  CHECK(at(h.legacy(call_greet()).body, "/result/isError") == "true");

  Harness odd;
  add_asking_tool(odd, R"({"method":"tools/list"})");
  CHECK(at(odd.modern("tools/call", R"("name":"greet",)", "greet", R"({"elicitation":{}})").body,
           "/result/isError") == "true");
}

TEST_CASE("a legacy client is asked on its request's stream, and answers with a message of its own") {
  Harness h;
  add_asking_tool(h);
  const std::string session = h.initialize("2025-06-18", R"({"elicitation":{}})");
  FakeReply& reply = h.legacy(call_greet(), session);
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
  FakeReply& refused = h.legacy(call_greet("1"), session);
  h.legacy(R"({"jsonrpc":"2.0","id":)" + at(refused.events[0], "/id") + R"(,"error":{"code":-1,"message":"no"}})",
           session);
  h.turn();
  CHECK(at(refused.events.back(), "/result/isError") == "true");
  FakeReply& left = h.legacy(call_greet("2"), session);  // may come back, and is waited for
  left.leave();
  h.turn();
  CHECK(h.server.at(0).calls().size() == 1);
  h.legacy(R"({"jsonrpc":"2.0","id":)" + at(left.events[0], "/id") + R"(,"result":{"action":"decline"}})", session);
  h.turn();
  FakeReply& cancelled = h.legacy(call_greet("3"), session);
  h.legacy(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}})", session);
  h.turn();
  CHECK(cancelled.ended);
  CHECK(h.server.at(0).calls().size() == 0);
}

TEST_CASE("the item is looked up anew when the answer comes: its plugin may have been replaced") {
  Harness h;
  add_asking_tool(h);
  const std::string session = h.initialize("2025-06-18", R"({"elicitation":{}})");
  FakeReply& reply = h.legacy(call_greet(), session);
  h.registry.replace("fake", nullptr, {});
  h.turn();
  h.legacy(R"({"jsonrpc":"2.0","id":)" + at(reply.events[0], "/id") + R"(,"result":{"action":"decline"}})",
           session);
  h.turn();
  CHECK(at(reply.events.back(), "/result/isError") == "true");
  CHECK(h.server.at(0).calls().size() == 0);
}

namespace {

// Asks two things in the first round; says in the second what it has got.
void add_tool_with_two_questions(Harness& h) {
  h.add_tool("two", [&h](const registry::Call& call, registry::Listener&) {
    if (call.round > 0)
      return h.provider.end_with_text(escaped(std::string(*call.input_responses)) + " " + std::string(call.state));
    registry::Ending ending;
    ending.how = registry::Ending::How::suspended;
    ending.input_requests = {
        {"name", R"({"method":"elicitation/create","params":{"message":"Name?","requestedSchema":{"type":"object",)"
                 R"("properties":{"n":{"type":"string","minLength":2}},"required":["n"]}}})"},
        {"roots", R"({"method":"roots/list"})"}};
    ending.state = "kept";
    h.provider.end(std::move(ending));
  });
}

const std::string kCan = R"({"elicitation":{},"roots":{},"sampling":{}})";
const std::string kAda = R"({"action":"accept","content":{"n":"Ada"}})";
const std::string kRoots = R"({"roots":[{"uri":"file:///a"}]})";

// The next round with these answers, of which `before` was the answer of the server.
std::string answer_two(Harness& h, const std::string& before, const std::string& responses) {
  std::string params = R"("name":"two",)";
  if (!before.empty()) params += R"("requestState":)" + at(before, "/result/requestState") + ",";
  if (!responses.empty()) params += R"("inputResponses":)" + responses + ",";
  return h.modern("tools/call", params, "two", kCan).body;
}

}  // namespace

TEST_CASE("a client that answers without what it was asked for is asked for the rest, and keeps what it has said") {
  Harness h;
  add_tool_with_two_questions(h);
  const std::string first = answer_two(h, "", "");
  CHECK(at(first, "/result/inputRequests/roots") == R"({"method":"roots/list"})");
  for (const char* nothing : {"", "{}", R"({"other":{"action":"accept"}})"}) {
    const std::string again = answer_two(h, first, nothing);
    CHECK(at(again, "/result/resultType") == "\"input_required\"");
    CHECK(at(again, "/result/inputRequests") == at(first, "/result/inputRequests"));
  }
  const std::string second = answer_two(h, first, R"({"roots":)" + kRoots + "}");
  CHECK(at(second, "/result/resultType") == "\"input_required\"");
  CHECK(at(second, "/result/inputRequests/name/params/message") == "\"Name?\"");
  CHECK(at(second, "/result/inputRequests/roots") == "");
  const std::string third = answer_two(h, second, R"({"name":)" + kAda + "}");
  CHECK(at(third, "/result/content/0/text") ==
        '"' + escaped(R"({"roots":)" + kRoots + R"(,"name":)" + kAda + "}") + " kept\"");
}

TEST_CASE("a client may answer with the call itself what it knows it will be asked") {
  Harness h;
  add_tool_with_two_questions(h);
  const std::string both = R"({"other":5,"roots":)" + kRoots + R"(,"name":)" + kAda + "}";
  const FakeReply& at_once = h.modern("tools/call", R"("name":"two","inputResponses":)" + both + ",", "two", kCan);
  h.turn();
  const std::string answers = R"({"name":)" + kAda + R"(,"roots":)" + kRoots + "}";
  CHECK(at(at_once.body, "/result/content/0/text") == '"' + escaped(answers) + " kept\"");

  const std::string half = answer_two(h, "", R"({"roots":)" + kRoots + "}");
  CHECK(at(half, "/result/resultType") == "\"input_required\"");
  CHECK(at(half, "/result/inputRequests/roots") == "");
  CHECK(at(answer_two(h, half, R"({"name":)" + kAda + "}"), "/result/content/0/text") != "");

  const std::string wrong = answer_two(h, "", R"({"roots":5,"name":)" + kAda + "}");
  CHECK(at(wrong, "/result/resultType") == "\"input_required\"");
  CHECK(at(wrong, "/result/inputRequests/roots") != "");
}

TEST_CASE("an answer that does not fit its question never reaches the plugin, in both eras") {
  Harness h;
  add_tool_with_two_questions(h);
  const std::string asked = answer_two(h, "", "");
  const std::pair<std::string, const char*> wrong[] = {
      {R"({"action":"perhaps"})", "/action"},
      {R"({"content":{"n":"Ada"}})", "action"},
      {R"({"action":"accept"})", "requestedSchema"},
      {R"({"action":"accept","content":{"n":"A"}})", "/n"},
      {R"({"action":"accept","content":{"n":5}})", "/n"},
      {R"({"action":"accept","content":[]})", "requestedSchema"},
      {"null", "object"},
  };
  for (const auto& [answer, why] : wrong) {
    INFO(answer);
    const std::string body = answer_two(h, asked, R"({"roots":)" + kRoots + R"(,"name":)" + answer + "}");
    CHECK(at(body, "/error/code") == "-32602");
    CHECK_THAT(at(body, "/error/message"), Catch::Contains("name") && Catch::Contains(why));
    const std::string session = h.initialize("2025-11-25", kCan);
    FakeReply& reply =
        h.legacy(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"two"}})", session);
    REQUIRE(reply.events.size() == 2);
    h.legacy(R"({"jsonrpc":"2.0","id":)" + at(reply.events[0], "/id") + R"(,"result":)" + answer + "}", session);
    h.turn();
    if (answer == "null") continue;  // which is no message: the question stays open
    CHECK(at(reply.events.back(), "/result/isError") == "true");
    CHECK_THAT(at(reply.events.back(), "/result/content/0/text"), Catch::Contains(why));
  }
  for (const char* roots : {R"({"roots":"x"})", "{}"}) {
    const std::string body = answer_two(h, asked, R"({"name":)" + kAda + R"(,"roots":)" + roots + "}");
    CHECK(at(body, "/error/code") == "-32602");
  }
}

TEST_CASE("an answer that declines, with null where nothing is, is one") {
  Harness h;
  add_tool_with_two_questions(h);
  const std::string body = answer_two(h, answer_two(h, "", ""),
                                      R"({"roots":)" + kRoots + R"(,"name":{"action":"decline","content":null}})");
  CHECK_THAT(at(body, "/result/content/0/text"), Catch::Contains(escaped(R"("name":{"action":"decline"})")));
}

TEST_CASE("what a model has sampled has the shape of it") {
  Harness h;
  add_asking_tool(h, R"({"method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}})");
  const auto call_with = [&](std::string more) {
    return h.modern("tools/call", R"("name":"greet",)" + more, "greet", kCan).body;
  };
  const std::string state = R"("requestState":)" + at(call_with(""), "/result/requestState") + ",";
  const auto said = [&](std::string answer) {
    return call_with(state + R"("inputResponses":{"who":)" + answer + "},");
  };
  const std::string text = R"({"type":"text","text":"t"})";
  for (const std::string& content :
       {text, "[" + text + R"(,{"type":"tool_use","id":"1","name":"n","input":{}}])"}) {
    CHECK(at(said(R"({"role":"assistant","model":"m","content":)" + content + "}"), "/result/content/0/text") ==
          "\"1 kept 4\"");
  }
  for (const std::string& bad :
       {std::string(R"({"role":"assistant","model":"m","content":"t"})"), R"({"role":"assistant","content":)" + text + "}",
        R"({"role":"robot","model":"m","content":)" + text + "}",
        std::string(R"({"role":"assistant","model":"m","content":{"type":"tool_use","id":"1"}})")}) {
    INFO(bad);
    CHECK(at(said(bad), "/error/code") == "-32602");
  }
}

TEST_CASE("progress increases over all rounds of a request") {
  Harness h;
  h.add_tool("steps", [&h](const registry::Call& call, registry::Listener& listener) {
    for (const double done : {1.0, 2.0, 3.0})
      listener.on_progress({.done = done + call.round, .total = 9, .message = ""});
    if (call.round > 0) return h.provider.end_with_text("done");
    registry::Ending ending;
    ending.how = registry::Ending::How::suspended;
    ending.input_requests = {{"who", kWho}};
    h.provider.end(std::move(ending));
  });
  const std::string session = h.initialize("2025-11-25", kCan);
  FakeReply& reply = h.legacy(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"steps","_meta":{"progressToken":"p"}}})",
      session);
  REQUIRE(reply.events.size() == 4);
  h.legacy(R"({"jsonrpc":"2.0","id":)" + at(reply.events[3], "/id") + R"(,"result":{"action":"accept"}})", session);
  h.turn();
  std::string told;
  for (const std::string& event : reply.events) told += at(event, "/params/progress") + " ";
  CHECK(told == "1 2 3  4  ");
}
