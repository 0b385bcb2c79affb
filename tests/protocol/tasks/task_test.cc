// Tasks: a call's answer outlives its request (io.modelcontextprotocol/tasks).
#include "protocol/tasks/task.h"

#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

const std::string kAble = R"({"elicitation":{},"extensions":{"io.modelcontextprotocol/tasks":{}}})";
const std::string kAnyQuestion =
    R"({"method":"elicitation/create","params":{"message":"?","requestedSchema":{"type":"object","properties":{}}}})";

FakeReply& call_work(Harness& h, std::string capabilities = kAble) {
  return h.modern("tools/call", R"("name":"work",)", "work", capabilities);
}

std::string about(Harness& h, std::string method, std::string id, std::string params = "") {
  return h.modern("tasks/" + method, R"("taskId":")" + id + "\"," + params, id, kAble).body;
}

void wait_for_the_end(const registry::Call&, registry::Listener&) {}

protocol::Task::Origin of(std::string owner) { return {.owner = std::move(owner)}; }

}  // namespace

TEST_CASE("a task is kept as long as the operator says") {
  Harness h({.task_ttl_ms = 2 * limits::kTaskTtlMs});
  h.add_tool("work", wait_for_the_end, "{}", kOptional);
  CHECK(std::stoul(at(call_work(h).body, "/result/ttlMs")) == 2 * limits::kTaskTtlMs);
  h.provider.end_with_text("");
}

TEST_CASE("a task is answered at once, and its result is there when the call has ended") {
  Harness h;
  h.add_tool("work", wait_for_the_end, "{}", kOptional);
  FakeReply& reply = call_work(h);
  REQUIRE(reply.ended);
  CHECK(at(reply.body, "/result/resultType") == "\"task\"");
  CHECK(at(reply.body, "/result/status") == "\"working\"");
  CHECK(std::stoul(at(reply.body, "/result/ttlMs")) == limits::kTaskTtlMs);
  CHECK(at(reply.body, "/result/createdAt").size() == std::string("\"2026-01-01T00:00:00.000Z\"").size());
  const std::string id = unquoted(at(reply.body, "/result/taskId"));
  CHECK(at(about(h, "get", id), "/result/status") == "\"working\"");
  CHECK(at(about(h, "get", id), "/result/resultType") == "\"complete\"");
  h.provider.end_with_text("done");
  const std::string after = about(h, "get", id);
  CHECK(at(after, "/result/status") == "\"completed\"");
  CHECK(at(after, "/result/result/content/0/text") == "\"done\"");
  CHECK(h.server.at(0).calls().size() == 0);
}

TEST_CASE("an error of the tool completes a task, an error of the protocol fails it") {
  Harness h;
  h.add_tool("work", wait_for_the_end, "{}", kRequired);
  registry::Ending wrong;
  wrong.is_error = true;
  const std::string first = unquoted(at(call_work(h).body, "/result/taskId"));
  h.provider.end(wrong);
  CHECK(at(about(h, "get", first), "/result/status") == "\"completed\"");
  CHECK(at(about(h, "get", first), "/result/result/isError") == "true");
  wrong = {};
  wrong.how = registry::Ending::How::failed;
  wrong.rpc_code = -32050;
  const std::string second = unquoted(at(call_work(h).body, "/result/taskId"));
  h.provider.end(wrong);
  CHECK(at(about(h, "get", second), "/result/status") == "\"failed\"");
  CHECK(at(about(h, "get", second), "/result/error/code") == "-32050");
}

TEST_CASE("only a client that has declared tasks gets one") {
  Harness h;
  h.add_tool(
      "work", [&](const registry::Call&, registry::Listener&) { h.provider.end_with_text("at once"); }, "{}",
      kOptional);
  CHECK(at(call_work(h, "{}").body, "/result/content/0/text") == "\"at once\"");
  CHECK(at(h.legacy(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work"}})").body,
           "/result/content/0/text") == "\"at once\"");

  Harness strict;
  strict.add_tool("work", wait_for_the_end, "{}", kRequired);
  FakeReply& refused = call_work(strict, "{}");
  CHECK(refused.status == 400);
  CHECK(at(refused.body, "/error/code") == "-32021");
  CHECK(at(refused.body, "/error/data/requiredCapabilities/extensions") ==
        R"({"io.modelcontextprotocol/tasks":{}})");
  for (const char* method : {"tasks/get", "tasks/update", "tasks/cancel"}) {
    CHECK(at(strict.modern(method, R"("taskId":"x",)", "x").body, "/error/code") == "-32021");
    CHECK(at(strict.modern(method, R"("taskId":"x",)", "x", kAble).body, "/error/code") == "-32602");
  }
}

TEST_CASE("a task that asks shows its open questions, and goes on when all are answered") {
  Harness h;
  std::string responses;
  h.add_tool(
      "work",
      [&](const registry::Call& c, registry::Listener&) {
        registry::Ending ending;
        if (c.round == 2) return h.provider.end_with_text("done");
        if (c.round == 1) responses = *c.input_responses;
        ending.how = registry::Ending::How::suspended;
        ending.input_requests = {{"a", kAnyQuestion}};
        if (c.round == 0) ending.input_requests.push_back({"b", kAnyQuestion});
        h.provider.end(std::move(ending));
      },
      "{}", kOptional);
  const std::string id = unquoted(at(call_work(h).body, "/result/taskId"));
  const std::string asking = about(h, "get", id);
  CHECK(at(asking, "/result/status") == "\"input_required\"");
  CHECK(at(asking, "/result/inputRequests/a/method") == "\"elicitation/create\"");
  about(h, "update", id, R"("inputResponses":{"a":{"action":"accept","n":1},"unknown":{}},)");
  h.turn();
  CHECK(at(about(h, "get", id), "/result/inputRequests/a") == "");
  CHECK(at(about(h, "get", id), "/result/inputRequests/b/method") == "\"elicitation/create\"");
  about(h, "update", id, R"("inputResponses":{"a":{"action":"accept","n":2}},)");
  CHECK(at(about(h, "update", id, R"("inputResponses":{"b":{"action":"perhaps"}},)"), "/error/code") == "-32602");
  about(h, "update", id, R"("inputResponses":{"b":{"action":"decline","n":3}},)");
  h.turn();
  CHECK(responses == R"({"a":{"action":"accept","n":1},"b":{"action":"decline","n":3}})");
  // The same key of the plugin is another one to the client.
  CHECK(at(about(h, "get", id), "/result/inputRequests/a#1/method") == "\"elicitation/create\"");
  about(h, "update", id, R"("inputResponses":{"a#1":{"action":"accept"}},)");
  h.turn();
  CHECK(at(about(h, "get", id), "/result/status") == "\"completed\"");
}

TEST_CASE("a tool that asks first becomes a task with the answers") {
  Harness h;
  h.add_tool("work",
             [&](const registry::Call& c, registry::Listener&) {
               if (c.round > 0) return;
               registry::Ending ending;
               ending.how = registry::Ending::How::suspended;
               ending.input_requests = {{"a", kAnyQuestion}};
               h.provider.end(std::move(ending));
             },
             "{}", {.task_required = true, .task_after_input = true});
  const std::string first = call_work(h).body;
  CHECK(at(first, "/result/resultType") == "\"input_required\"");
  const std::string second =
      h.modern("tools/call",
               R"("name":"work","inputResponses":{"a":{"action":"accept"}},"requestState":)" +
                   at(first, "/result/requestState") + ",",
               "work", kAble)
          .body;
  CHECK(at(second, "/result/resultType") == "\"task\"");
  h.provider.end_with_text("done");
  CHECK(at(about(h, "get", unquoted(at(second, "/result/taskId"))), "/result/status") == "\"completed\"");
}

TEST_CASE("cancelling a task stops its call, and may be asked twice") {
  Harness h;
  h.add_tool("work", wait_for_the_end, "{}", kOptional);
  const std::string id = unquoted(at(call_work(h).body, "/result/taskId"));
  for (int i = 0; i < 2; ++i) {
    CHECK(at(about(h, "cancel", id), "/result/resultType") == "\"complete\"");
    h.turn();
    CHECK(at(about(h, "get", id), "/result/status") == "\"cancelled\"");
  }
  CHECK(h.provider.cancelled.size() == 1);
  h.provider.end_with_text("late");
  CHECK(at(about(h, "get", id), "/result/status") == "\"cancelled\"");
}

TEST_CASE("a client that follows a task is told of each change, and once in any case") {
  Harness h;
  registry::Listener* running = nullptr;
  h.add_tool(
      "work", [&](const registry::Call&, registry::Listener& listener) { running = &listener; }, "{}", kOptional);
  const std::string id = unquoted(at(
      h.modern("tools/call", R"("name":"work",)", "work", kAble, R"(,"progressToken":1)").body, "/result/taskId"));
  const std::string wish = R"("notifications":{"taskIds":[")" + id + R"(","made-up"]},)";
  FakeReply& stream = h.modern("subscriptions/listen", wish, "", kAble);
  REQUIRE(stream.events.size() == 2);
  CHECK(at(stream.events[0], "/params/notifications/taskIds") == "[\"" + id + "\"]");
  CHECK(at(stream.events[1], "/method") == "\"notifications/tasks\"");
  CHECK(at(stream.events[1], "/params/status") == "\"working\"");
  CHECK(at(stream.events[1], "/params/_meta/io.modelcontextprotocol~1subscriptionId") == "1");
  running->on_progress({1, 2, "half way"});
  h.turn();
  CHECK(at(stream.events.back(), "/params/statusMessage") == "\"half way\"");
  h.provider.end_with_text("done");
  h.turn();
  CHECK(stream.events.size() == 4);
  CHECK(at(stream.events.back(), "/params/result/content/0/text") == "\"done\"");
  FakeReply& late = h.modern("subscriptions/listen", wish, "", kAble);
  CHECK(at(late.events.back(), "/params/status") == "\"completed\"");
}

TEST_CASE("who follows tasks must know tasks") {
  Harness h;
  FakeReply& reply = h.modern("subscriptions/listen", R"("notifications":{"taskIds":["x"]},)");
  CHECK(at(reply.body, "/error/code") == "-32021");
  CHECK(at(h.modern("subscriptions/listen", R"("notifications":{"taskIds":"x"},)", "", kAble).body,
           "/error/code") == "-32602");
}

TEST_CASE("a task belongs to its principal, ends in time, and tasks are bounded") {
  protocol::TaskTable table;
  const auto task = table.create(of("alice"), 1'000);
  CHECK(table.find(task->id(), "alice", 1'000));
  CHECK_FALSE(table.find(task->id(), "bob", 1'000));
  CHECK(table.find(task->id(), "alice", 1'000 + limits::kTaskTtlMs - 1));
  CHECK_FALSE(table.find(task->id(), "alice", 1'000 + limits::kTaskTtlMs));
  CHECK(table.size() == 0);

  std::vector<protocol::TaskPtr> all;
  for (unsigned i = 0; i < limits::kTasksMax; ++i) all.push_back(table.create(of("a"), 2'000));
  CHECK_FALSE(table.create(of("a"), 2'000));
  all[5]->cancel();
  CHECK(table.create(of("a"), 2'000));
  CHECK_FALSE(table.find(all[5]->id(), "a", 2'000));
  CHECK(table.find(all[4]->id(), "a", 2'000));
}

TEST_CASE("the tasks of one principal leave room for those of others") {
  protocol::TaskTable table;
  const auto of_one = [](std::string owner) { return protocol::Task::Origin{.owner = std::move(owner), .has_share = true}; };
  protocol::TaskPtr first = table.create(of_one("a"), 1'000), last = first;
  while (protocol::TaskPtr next = table.create(of_one("a"), 1'000)) last = next;
  CHECK(table.size() == limits::kTasksMax / 4);
  CHECK(table.create(of_one("b"), 1'000));
  first->cancel();
  CHECK(table.create(of_one("a"), 1'000));
  CHECK_FALSE(table.find(first->id(), "a", 1'000));
}

TEST_CASE("where who has most has none that is over, one of another makes room") {
  protocol::TaskTable table;
  const auto idle = table.create(of("idle"), 1'000);
  while (table.size() < limits::kTasksMax) table.create(of("busy"), 1'000);
  CHECK_FALSE(table.create(of("late"), 1'000));
  idle->cancel();
  CHECK(table.create(of("late"), 1'000));
  CHECK(table.size() == limits::kTasksMax);
}

TEST_CASE("past the limit those tasks go whose owner keeps most") {
  const auto answer = [](const protocol::TaskPtr& task, std::size_t bytes) {
    const std::string result = R"({"result":{"text":")" + std::string(bytes, 'x') + "\"}}";
    const std::string_view piece = result;
    task->answer(200, {&piece, 1});
  };
  protocol::TaskTable table(3'000);
  const auto small = table.create(of("small"), 1'000);
  const auto large = table.create(of("large"), 1'000);
  answer(small, 100);
  answer(large, 5'000);
  CHECK(table.find(small->id(), "small", 1'000));
  CHECK_FALSE(table.find(large->id(), "large", 1'000));
}

TEST_CASE("progress of a task is its status message") {
  Harness h;
  h.add_tool(
      "work",
      [](const registry::Call&, registry::Listener& listener) {
        listener.on_progress({1, 2, "half way"});
      },
      "{}", kOptional);
  const std::string id = unquoted(at(
      h.modern("tools/call", R"("name":"work",)", "work", kAble, R"(,"progressToken":1)").body, "/result/taskId"));
  CHECK(at(about(h, "get", id), "/result/statusMessage") == "\"half way\"");
  h.provider.end_with_text("");
}

TEST_CASE("the results that tasks keep are bounded in bytes: past the limit the oldest that are over go") {
  const std::string_view result = R"({"result":{"content":[]}})";
  const std::size_t bytes = std::string_view(R"({"content":[]})").size();
  for (const std::size_t room : {2 * bytes, 2 * bytes - 1}) {
    protocol::TaskTable table(room);
    const auto running = table.create(of("a"), 1'000);
    const auto first = table.create(of("a"), 1'000);
    const auto second = table.create(of("a"), 1'000);
    first->answer(200, {&result, 1});
    second->answer(200, {&result, 1});
    table.create(of("a"), 1'000);
    CHECK((table.find(first->id(), "a", 1'000) != nullptr) == (room == 2 * bytes));
    CHECK(table.find(second->id(), "a", 1'000));
    CHECK(table.find(running->id(), "a", 1'000));
  }
}
