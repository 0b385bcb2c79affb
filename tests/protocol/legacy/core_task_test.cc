// The tasks of 2025-11-25 (basic/utilities/tasks).
#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

struct Tasks : Harness {
  std::string session = initialize("2025-11-25", R"({"elicitation":{}})");
  registry::Listener* running = nullptr;
  int last_id = 0;

  explicit Tasks(protocol::ServerOptions options = {}) : Harness(std::move(options)) {
    add_tool(
        "work", [this](const registry::Call&, registry::Listener& listener) { running = &listener; }, "{}",
        kOptional);
  }
  FakeReply& send_request(const std::string& method, const std::string& params, std::string in = "") {
    return legacy(R"({"jsonrpc":"2.0","id":)" + std::to_string(++last_id) + R"(,"method":")" + method +
                      R"(","params":)" + params + "}",
                  in.empty() ? session : in);
  }
  FakeReply& call(const std::string& tool = "work", const std::string& task = R"({"ttl":60000})") {
    return send_request("tools/call", R"({"name":")" + tool + R"(","task":)" + task + "}");
  }
  std::string start() { return unquoted(at(call().body, "/result/task/taskId")); }
  std::string about(const std::string& what, const std::string& id, const std::string& in = "") {
    return send_request("tasks/" + what, R"({"taskId":")" + id + "\"}", in).body;
  }
};

}  // namespace

TEST_CASE("2025-11-25 alone is offered tasks, and told which tools may be one") {
  Tasks h;
  const auto capabilities = [&](std::string version) {
    return at(h.legacy(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":")" + version +
                       R"(","capabilities":{},"clientInfo":{"name":"t","version":"1"}}})")
                  .body,
              "/result/capabilities/tasks");
  };
  CHECK(capabilities("2025-11-25") == R"({"list":{},"cancel":{},"requests":{"tools":{"call":{}}}})");
  CHECK(capabilities("2025-06-18").empty());
  h.add_tool(
      "must", [](const registry::Call&, registry::Listener&) {}, "{}", kRequired);
  h.add_tool(
      "plain", [](const registry::Call&, registry::Listener&) {}, "{}");
  h.add_tool(
      "said", [](const registry::Call&, registry::Listener&) {}, R"({"execution":{"taskSupport":"forbidden"}})",
      kOptional);
  const std::string tools = h.send_request("tools/list", "{}").body;
  CHECK(at(tools, "/result/tools/0/execution/taskSupport") == "\"required\"");
  CHECK(at(tools, "/result/tools/1/execution").empty());
  CHECK(at(tools, "/result/tools/2/execution/taskSupport") == "\"forbidden\"");
  CHECK(at(tools, "/result/tools/3/execution/taskSupport") == "\"optional\"");
}

TEST_CASE("a call with `task` is answered with a task, whose result is fetched later") {
  Tasks h;
  const std::string created = h.call().body;
  CHECK(at(created, "/result/task/status") == "\"working\"");
  CHECK(at(created, "/result/task/ttl") == "60000");
  const std::string id = unquoted(at(created, "/result/task/taskId"));
  CHECK(at(h.about("get", id), "/result/status") == "\"working\"");
  FakeReply& waiting = h.send_request("tasks/result", R"({"taskId":")" + id + "\"}");
  CHECK_FALSE(waiting.ended);
  h.provider.end_with_text("done");
  h.turn();
  REQUIRE(waiting.ended);
  CHECK(at(waiting.body, "/result/content/0/text") == "\"done\"");
  CHECK(at(waiting.body, "/result/_meta/io.modelcontextprotocol~1related-task/taskId") == "\"" + id + "\"");
  CHECK(at(h.about("get", id), "/result/status") == "\"completed\"");
  CHECK(at(h.about("get", id), "/result/result").empty());
  CHECK(at(h.about("result", id), "/result/content/0/text") == "\"done\"");
}

TEST_CASE("a tool's error is a failed task with a result, an error of JSON-RPC one with that error") {
  Tasks h;
  const std::string id = h.start();
  registry::Ending ending;
  ending.is_error = true;
  ending.content = R"({"type":"text","text":"no"})";
  ending.meta = R"({"mine":1})";
  h.provider.end(std::move(ending));
  CHECK(at(h.about("get", id), "/result/status") == "\"failed\"");
  const std::string result = h.about("result", id);
  CHECK(at(result, "/result/isError") == "true");
  CHECK(at(result, "/result/_meta/mine") == "1");
  CHECK(at(result, "/result/_meta/io.modelcontextprotocol~1related-task/taskId") == "\"" + id + "\"");

  const std::string other = h.start();
  registry::Ending failed;
  failed.how = registry::Ending::How::failed;
  failed.rpc_code = -32001;
  failed.message = "broken";
  failed.data = R"({"why":2})";
  h.provider.end(std::move(failed));
  const std::string error = h.about("result", other);
  CHECK(at(error, "/error/code") == "-32001");
  CHECK(at(error, "/error/message") == "\"broken\"");
  CHECK(at(error, "/error/data/why") == "2");
}

TEST_CASE("what a task asks goes to whoever waits for its result") {
  Tasks h;
  std::string answered;
  h.add_tool(
      "ask",
      [&](const registry::Call& call, registry::Listener&) {
        if (call.round > 0) {
          answered = std::string(call.input_responses.value_or(""));
          return h.provider.end_with_text("thanks");
        }
        registry::Ending ending;
        ending.how = registry::Ending::How::suspended;
        ending.input_requests.push_back(
            {"name", R"({"method":"elicitation/create","params":{"message":"Who?","requestedSchema":)"
                     R"({"type":"object","properties":{}}}})"});
        h.provider.end(std::move(ending));
      },
      "{}", kOptional);
  const std::string id = unquoted(at(h.call("ask").body, "/result/task/taskId"));
  CHECK(at(h.about("get", id), "/result/status") == "\"input_required\"");
  FakeReply& waiting = h.send_request("tasks/result", R"({"taskId":")" + id + "\"}");
  REQUIRE(waiting.events.size() == 1);
  CHECK(at(waiting.events[0], "/method") == "\"elicitation/create\"");
  CHECK(at(waiting.events[0], "/params/_meta/io.modelcontextprotocol~1related-task/taskId") == "\"" + id + "\"");
  h.legacy(
      R"({"jsonrpc":"2.0","id":)" + at(waiting.events[0], "/id") + R"(,"result":{"action":"accept","content":{}}})",
      h.session);
  h.turn();
  h.turn();
  CHECK(at(answered, "/name/action") == "\"accept\"");
  REQUIRE(waiting.ended);
  CHECK(at(waiting.events.back(), "/result/content/0/text") == "\"thanks\"");
}

TEST_CASE("a tool says whether it runs as a task") {
  Tasks h;
  h.add_tool("never", [](const registry::Call&, registry::Listener&) {});
  h.add_tool(
      "only", [](const registry::Call&, registry::Listener&) {}, "{}", kRequired);
  CHECK(at(h.call("never").body, "/error/code") == "-32601");
  CHECK(at(h.send_request("tools/call", R"({"name":"only"})").body, "/error/code") == "-32601");
  CHECK(at(h.call("work", "7").body, "/error/code") == "-32602");
  CHECK(at(h.call("work", R"({"ttl":"x"})").body, "/error/code") == "-32602");
  CHECK(at(h.call("work", R"({"ttl":1e300})").body, "/result/task/ttl") == std::to_string(limits::kTaskTtlMs));
  h.provider.end_with_text("");
}

TEST_CASE("a client's wish for a task's time is heard up to what the operator allows") {
  Tasks h({.task_ttl_ms = 5'000});
  CHECK(at(h.call("work", "{}").body, "/result/task/ttl") == "5000");
  CHECK(at(h.call("work", R"({"ttl":4999})").body, "/result/task/ttl") == "4999");
  CHECK(at(h.call("work", R"({"ttl":5000})").body, "/result/task/ttl") == "5000");
  CHECK(at(h.call("work", R"({"ttl":5001})").body, "/result/task/ttl") == "5000");
  h.provider.end_with_text("");
}

TEST_CASE("a cancelled task is over; cancelling what is over is an error") {
  Tasks h;
  const std::string id = h.start();
  FakeReply& waiting = h.send_request("tasks/result", R"({"taskId":")" + id + "\"}");
  CHECK(at(h.about("cancel", id), "/result/status") == "\"cancelled\"");
  h.turn();
  CHECK(at(waiting.body, "/error/code") == "-32602");
  CHECK(h.provider.cancelled.size() == 1);
  CHECK(at(h.about("cancel", id), "/error/code") == "-32602");
  h.provider.end_with_text("late");
}

TEST_CASE("who waits for a result may leave or cancel, and the task goes on") {
  Tasks h;
  const std::string id = h.start();
  h.send_request("tasks/result", R"({"taskId":")" + id + "\"}").leave();
  FakeReply& waiting = h.send_request("tasks/result", R"({"taskId":")" + id + "\"}");
  h.legacy(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
               std::to_string(h.last_id) + "}}",
           h.session);
  h.turn();
  CHECK(waiting.ended);
  CHECK(h.provider.cancelled.empty());
  h.provider.end_with_text("done");
  CHECK(at(h.about("result", id), "/result/content/0/text") == "\"done\"");
}

TEST_CASE("tasks are listed page by page, to their session alone") {
  Tasks h;
  std::vector<std::string> ids;
  for (unsigned i = 0; i <= limits::kPageItems; ++i) ids.push_back(h.start());
  const std::string first = h.send_request("tasks/list", "{}").body;
  CHECK(at(first, "/result/tasks/0/taskId") == "\"" + ids.front() + "\"");
  const std::string second =
      h.send_request("tasks/list", R"({"cursor":)" + at(first, "/result/nextCursor") + "}").body;
  CHECK(at(second, "/result/tasks/0/taskId") == "\"" + ids.back() + "\"");
  CHECK(at(second, "/result/nextCursor").empty());
  for (const char* bad : {"1", "\"x\"", "\"YmVoaW5kOg==\""}) {
    CHECK(at(h.send_request("tasks/list", std::string(R"({"cursor":)") + bad + "}").body, "/error/code") ==
          "-32602");
  }
  const std::string other = h.initialize();
  CHECK(at(h.send_request("tasks/list", "{}", other).body, "/result/tasks") == "[]");
  for (const char* what : {"get", "result", "cancel"}) {
    CHECK(at(h.about(what, ids.front(), other), "/error/code") == "-32602");
    CHECK(at(h.about(what, "made-up"), "/error/code") == "-32602");
    CHECK(at(h.about(what, ids.front(), h.initialize("2025-06-18")), "/error/code") == "-32601");
  }
  while (!h.provider.waiting.empty()) h.provider.end_with_text("");
}

TEST_CASE("a session's side stream hears of the states of its tasks") {
  Tasks h;
  FakeReply& stream = h.send({"", {{"Accept", "text/event-stream"}, {"Mcp-Session-Id", h.session}}, "GET"});
  const std::string id = h.start();
  h.provider.end_with_text("done");
  h.turn();
  h.turn();
  REQUIRE(stream.events.size() == 1);
  CHECK(at(stream.events[0], "/method") == "\"notifications/tasks/status\"");
  CHECK(at(stream.events[0], "/params/taskId") == "\"" + id + "\"");
  CHECK(at(stream.events[0], "/params/status") == "\"completed\"");
}
