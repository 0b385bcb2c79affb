// What a client may not do with what it was given or has made up: states of other calls, cursors, ids, answers.
#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;
using registry::Kind;

namespace {

const std::string kCapabilities = R"({"elicitation":{},"extensions":{"io.modelcontextprotocol/tasks":{}}})";
constexpr std::string_view kQuestion =
    R"({"method":"elicitation/create","params":{"message":"?","requestedSchema":{"type":"object","properties":{}}}})";

// Everybody is whom their token names.
protocol::AccessRules by_token() {
  protocol::AccessRules rules;
  rules.authenticator = test::known_by([](std::string_view token) { return test::named(token); });
  return rules;
}

// A modern request of `who`, whose members of params are `params`, with a comma behind each.
std::string ask(Harness& h, std::string who, std::string method, std::string params, std::string name = "") {
  Post post;
  post.headers = {{"Content-Type", "application/json"},
                  {"Authorization", "Bearer " + who},
                  {"MCP-Protocol-Version", "2026-07-28"},
                  {"Mcp-Method", method}};
  if (!name.empty()) post.headers.push_back({"Mcp-Name", name});
  post.body = R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":{)" + params +
              R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)" +
              R"("io.modelcontextprotocol/clientCapabilities":)" + kCapabilities + "}}}";
  return h.send(post).body;
}

// Asks once, and then says in which round it is.
void add_asking(Harness& h, Kind kind, std::string name) {
  h.add(kind, name, [&h, kind](const registry::Call& call, registry::Listener&) {
    registry::Ending ending;
    if (call.round == 0) {
      ending.how = registry::Ending::How::suspended;
      ending.input_requests = {{"q", std::string(kQuestion)}};
      ending.state = "kept";
    } else if (kind == Kind::prompt) {
      ending.content = R"({"role":"user","content":{"type":"text","text":"answered"}})";
    } else {
      ending.content = R"({"type":"text","text":"answered"})";
    }
    h.provider.end(std::move(ending));
  });
}

std::string with_state(std::string state, std::string responses = R"({"q":{"action":"accept"}})") {
  return R"("requestState":)" + state + R"(,"inputResponses":)" + responses + ",";
}

bool is_refused(const std::string& body) { return at(body, "/error/code") == "-32602"; }

}  // namespace

TEST_CASE("a state opens for the call that it was given to, and for no other, nobody else and nowhere else") {
  Harness h({}, by_token());
  add_asking(h, Kind::tool, "one");
  add_asking(h, Kind::tool, "other");
  add_asking(h, Kind::prompt, "one");
  Harness elsewhere({}, by_token());
  add_asking(elsewhere, Kind::tool, "one");
  const std::string call = R"("name":"one","arguments":{"a":1},)";
  const auto state_of = [&](Harness& at_server) {
    return at(ask(at_server, "alice", "tools/call", call, "one"), "/result/requestState");
  };
  const std::string state = state_of(h);
  REQUIRE(state.size() > 2);
  const std::string again = with_state(state);

  CHECK(is_refused(ask(h, "bob", "tools/call", call + again, "one")));
  CHECK(is_refused(ask(h, "alice", "tools/call", R"("name":"other","arguments":{"a":1},)" + again, "other")));
  CHECK(is_refused(ask(h, "alice", "prompts/get", R"("name":"one","arguments":{},)" + again, "one")));
  CHECK(is_refused(ask(h, "alice", "tools/call", R"("name":"one","arguments":{"a":2},)" + again, "one")));
  CHECK(is_refused(ask(h, "alice", "tools/call", R"("name":"one",)" + again, "one")));
  CHECK(is_refused(ask(h, "alice", "tools/call", call + with_state(state_of(elsewhere)), "one")));
  CHECK(is_refused(ask(h, "alice", "tools/call", call + with_state(R"("made up")"), "one")));
  CHECK(is_refused(ask(h, "alice", "tools/call", call + with_state(R"("")"), "one")));
  CHECK(is_refused(ask(h, "alice", "tools/call", call + with_state("null"), "one")));
  CHECK(at(ask(h, "alice", "tools/call", call + again, "one"), "/result/content/0/text") == "\"answered\"");
}

TEST_CASE("answers that are none are refused, and those that nobody asked for are ignored") {
  Harness h({}, by_token());
  add_asking(h, Kind::tool, "one");
  const std::string call = R"("name":"one",)";
  const std::string state = at(ask(h, "alice", "tools/call", call, "one"), "/result/requestState");
  for (const char* wrong : {"null", "[]", "\"q\"", "7", R"({"q":null})", R"({"q":[]})", R"({"q":"accept"})",
                            R"({"q":{},"more":1})", R"({"q":{"action":"no such thing"}})"}) {
    INFO(wrong);
    CHECK(is_refused(ask(h, "alice", "tools/call", call + with_state(state, wrong), "one")));
  }
  for (const char* odd : {"{}", R"({"other":{"action":"accept"}})"}) {
    INFO(odd);
    CHECK(at(ask(h, "alice", "tools/call", call + with_state(state, odd), "one"), "/result/resultType") ==
          "\"input_required\"");
  }
}

TEST_CASE("ids of tasks that are made up, or another's, name no task") {
  Harness h({}, by_token());
  h.add_tool("work", [](const registry::Call&, registry::Listener&) {}, "{}", {.task_required = true});
  const std::string id = at(ask(h, "alice", "tools/call", R"("name":"work",)", "work"), "/result/taskId");
  REQUIRE(id.size() > 2);
  const std::string bare = id.substr(1, id.size() - 2);
  for (const std::string method : {"tasks/get", "tasks/update", "tasks/cancel"}) {
    INFO(method);
    const std::string responses = R"("inputResponses":{},)";
    CHECK(is_refused(ask(h, "bob", method, R"("taskId":)" + id + "," + responses, bare)));
    CHECK(is_refused(ask(h, "alice", method, R"("taskId":"made up",)" + responses, "made up")));
    CHECK(at(ask(h, "alice", method, R"("taskId":"",)" + responses), "/error/code") != "");
    CHECK(is_refused(ask(h, "alice", method, R"("taskId":")" + bare + "x\"," + responses, bare + "x")));
    CHECK(at(ask(h, "alice", method, responses), "/error/code") != "");
    CHECK(at(ask(h, "alice", method, R"("taskId":7,)" + responses), "/error/code") != "");
  }
  CHECK(is_refused(ask(h, "alice", "tasks/update", R"("taskId":)" + id + ",", bare)));
  CHECK(is_refused(ask(h, "alice", "tasks/update", R"("taskId":)" + id + R"(,"inputResponses":[],)", bare)));
  CHECK(at(ask(h, "alice", "tasks/get", R"("taskId":)" + id + ",", bare), "/result/status") == "\"working\"");
  CHECK(h.provider.cancelled.empty());
  h.provider.end_with_text("");
}

TEST_CASE("cursors that are made up are refused by every list, in both eras") {
  Harness h;
  const std::string session = h.initialize();
  for (const std::string list : {"tools/list", "prompts/list", "resources/list", "resources/templates/list"}) {
    for (const std::string cursor : {"\"x\"", "\"YWZ0ZXI=\"", "\"\"", "7", "{}"}) {
      INFO(list << " " << cursor);
      CHECK(is_refused(h.modern(list, R"("cursor":)" + cursor + ",").body));
      CHECK(is_refused(
          h.legacy(R"({"jsonrpc":"2.0","id":1,"method":")" + list + R"(","params":{"cursor":)" + cursor + "}}",
                   session)
              .body));
    }
  }
}

TEST_CASE("completion of what there is not is refused, in both eras") {
  Harness h;
  const std::string session = h.initialize();
  const std::string argument = R"(,"argument":{"name":"a","value":"v"})";
  for (const std::string ref :
       {R"({"type":"ref/prompt","name":"none"})", R"({"type":"ref/resource","uri":"x:{none}"})",
        R"({"type":"ref/tool","name":"x"})", R"({"type":"ref/prompt"})", "{}", "[]", "null"}) {
    INFO(ref);
    CHECK(is_refused(h.modern("completion/complete", R"("ref":)" + ref + argument + ",").body));
    CHECK(is_refused(h.legacy(R"({"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":)" + ref +
                                  argument + "}}",
                              session)
                         .body));
  }
}

TEST_CASE("subscriptions are bounded, and the limit is an error that says so") {
  Harness h;
  const auto listen = [&]() -> FakeReply& {
    return h.modern("subscriptions/listen", R"("notifications":{"toolsListChanged":true},)");
  };
  FakeReply& first = listen();
  for (unsigned i = 1; i < limits::kSubscriptionsMax; ++i) REQUIRE(listen().streaming);
  FakeReply& refused = listen();
  CHECK_FALSE(refused.streaming);
  CHECK(at(refused.body, "/error/code") == "-32603");
  CHECK(at(refused.body, "/error/message").find("subscriptions") != std::string::npos);
  first.leave();
  CHECK(listen().streaming);
}

TEST_CASE("the subscriptions of one principal leave room for those of others") {
  protocol::AccessRules rules;
  rules.authenticator = test::known_by([](std::string_view token) { return test::named(token); });
  Harness h({}, rules);
  const auto listen = [&](const std::string& token) -> FakeReply& {
    return h.modern("subscriptions/listen", R"("notifications":{"toolsListChanged":true},)", "", "{}", "", token);
  };
  for (unsigned i = 0; i < limits::kSubscriptionsMax / 4; ++i) REQUIRE(listen("alice").streaming);
  CHECK_FALSE(listen("alice").streaming);
  CHECK(listen("bob").streaming);
}

TEST_CASE("a flood of sessions costs those their session that were idle for longest, and nobody else") {
  Harness h({.sessions_max = 4});
  const std::string used = h.initialize();
  const std::string idle = h.initialize();
  const auto ping = [&](const std::string& session) {
    return h.legacy(R"({"jsonrpc":"2.0","id":1,"method":"ping"})", session).status;
  };
  for (int i = 0; i < 100; ++i) {
    h.initialize();
    CHECK(ping(used) == 200);
    CHECK(h.server.sessions().size() <= 4);
  }
  CHECK(ping(idle) == 404);
}

TEST_CASE("a client is not asked what its revision does not know, whatever it declares") {
  Harness h;
  add_asking(h, Kind::tool, "one");
  const std::string call = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"one"}})";
  for (const std::string version : {"2024-11-05", "2025-03-26"}) {
    CHECK(at(h.legacy(call, h.initialize(version, kCapabilities)).body, "/result/isError") == "true");
  }
  CHECK(h.legacy(call, h.initialize("2025-06-18", kCapabilities)).events.size() == 1);
}

TEST_CASE("what a message is read into is counted to its client until it is answered, and kept no longer") {
  const auto memory = std::make_shared<transport::RequestMemory>(8u << 20);
  protocol::ServerOptions options;
  options.request_memory = memory;
  Harness h(std::move(options), by_token());
  h.add_tool("wait", [](const registry::Call&, registry::Listener&) {});
  // Small to send, and large to have read: each number is as large as any value.
  std::string many = R"("name":"wait","arguments":{"a":[0)";
  for (unsigned i = 0; i < 150'000; ++i) many += ",0";
  many += "]},";
  const auto status = [&](const char* who, const std::string& params) {
    ask(h, who, "tools/call", params, "wait");
    return h.replies.back().status;
  };
  constexpr int kUnderWay = 0;
  CHECK(status("alice", many) == kUnderWay);
  CHECK(memory->held() > many.size() * 4);
  CHECK(status("alice", many) == 503);
  CHECK(status("bob", many) == kUnderWay);  // he has room of his own
  CHECK(status("alice", R"("name":"wait","arguments":{},)") == kUnderWay);
  while (!h.provider.waiting.empty()) h.provider.end_with_text("done");
  CHECK(memory->held() == 0);
}
