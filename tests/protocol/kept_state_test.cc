// Sessions and tasks that a store keeps: a client goes on with them at another server, as it does after a restart.
#include <atomic>
#include <chrono>
#include <deque>

#include "protocol/harness.h"
#include "protocol/legacy/session_records.h"
#include "protocol/tasks/task_records.h"
#include "store/memory_records.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;
using protocol::Era;
using protocol::Session;
using protocol::Task;
using store::Records;

namespace {

// A store that answers when the test has it do so. Any thread asks; the test's answers.
class SlowRecords final : public Records {
 public:
  void get(const std::string& space, const std::string& key, Answered then) override {
    asked_.push_back([this, space, key, then = std::move(then)]() mutable {
      if (fails_) return then({.status = Status::failed});
      records_.get(space, key, std::move(then));
    });
  }
  void put(const std::string& space, Put put, Answered then) override {
    asked_.push_back([this, space, put = std::move(put), then = std::move(then)]() mutable {
      records_.put(space, std::move(put), std::move(then));
    });
  }
  void remove(const std::string& space, const std::string& key, Expected expected, Answered then) override {
    asked_.push_back([this, space, key, expected, then = std::move(then)]() mutable {
      records_.remove(space, key, expected, std::move(then));
    });
  }
  void list(const std::string& space, const List& list, Listed then) override {
    asked_.push_back([this, space, list, then = std::move(then)]() mutable {
      if (fails_) return then({.status = Status::failed});
      records_.list(space, list, std::move(then));
    });
  }

  // To what is read it answers nothing but that it has failed, from now on.
  void fail() { fails_ = true; }
  std::size_t asked() const { return asked_.size(); }
  void answer_all() {
    while (!asked_.empty()) {
      Callback<void()> next = std::move(asked_.front());
      asked_.pop_front();
      next();
    }
  }

 private:
  store::MemoryRecords records_;
  std::deque<Callback<void()>> asked_;
  bool fails_ = false;
};

protocol::ServerOptions kept_in(Records& records) {
  protocol::ServerOptions options;
  options.records = &records;
  return options;
}

protocol::AccessRules with_tokens() {
  protocol::AccessRules rules;
  rules.authenticator = known_by([](std::string_view token) { return named(token); });
  return rules;
}

// Within a time that is far more than that takes.
bool becomes_true_in(Harness& h, const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (!condition() && std::chrono::steady_clock::now() < until) h.turn();
  return condition();
}

constexpr const char* kInitialize = R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
                                    R"("capabilities":{},"clientInfo":{"name":"t","version":"1"}}})";
constexpr const char* kList = R"({"jsonrpc":"2.0","id":5,"method":"tools/list"})";

FakeReply& with_token(Harness& h, const std::string& token, std::string body, const std::string& session = {},
                      const std::string& method = "POST") {
  Post post{.body = std::move(body), .method = method};
  post.headers = {{"Content-Type", "application/json"},
                  {"Accept", "application/json, text/event-stream"},
                  {"MCP-Protocol-Version", "2025-11-25"},
                  {"Authorization", "Bearer " + token}};
  if (!session.empty()) post.headers.push_back({"Mcp-Session-Id", session});
  return h.send(post);
}

std::string initialize_as(Harness& h, const std::string& token) {
  FakeReply& reply = with_token(h, token, kInitialize);
  h.turn();
  CHECK(reply.status == 200);
  return reply.headers["Mcp-Session-Id"];
}

// Opens a session, whose record is there when the client knows its id.
std::string open_session(Harness& h, const std::string& version = "2025-11-25") {
  FakeReply& reply = h.legacy(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":")" + version +
                              R"(","capabilities":{"elicitation":{}},"clientInfo":{"name":"t","version":"1"}}})");
  h.turn();
  REQUIRE(reply.status == 200);
  return reply.headers["Mcp-Session-Id"];
}

void add_waiting_tool(Harness& h) {
  h.add_tool("work", [](const registry::Call&, registry::Listener&) {}, "{}", kOptional);
}

std::string task_request(int id, const std::string& method, const std::string& params) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":")" + method + R"(","params":)" + params + "}";
}

std::string about(Harness& h, const std::string& session, const std::string& method, const std::string& task) {
  FakeReply& reply = h.legacy(task_request(3, "tasks/" + method, R"({"taskId":")" + task + "\"}"), session);
  for (int i = 0; i < 3 && !reply.ended; ++i) h.turn();
  return reply.body;
}

// Begins a task in the session of 2025-11-25, whose call goes on.
std::string begin_task(Harness& h, const std::string& session) {
  FakeReply& reply = h.legacy(task_request(2, "tools/call", R"({"name":"work","task":{"ttl":60000}})"), session);
  return unquoted(at(reply.body, "/result/task/taskId"));
}

}  // namespace

TEST_CASE("a session goes on at another server, as what it was") {
  store::MemoryRecords records;
  Harness first(kept_in(records)), second(kept_in(records));
  const std::string session = open_session(first);
  CHECK(first.legacy(R"({"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"error"}})", session).status == 200);

  const FakeReply& listed = second.legacy(kList, session);
  CHECK(listed.status == 200);
  CHECK(at(listed.body, "/result/tools") == "[]");
  const auto there = second.server.sessions().find(session, nullptr, second.loop.now_ms());
  REQUIRE(there);
  CHECK(there->client().version == "2025-11-25");
  CHECK(there->client().capabilities == R"({"elicitation":{}})");
  CHECK(at(there->client().info, "/name") == "\"t\"");
  CHECK(there->log_severity() == 3);
}

TEST_CASE("a session of another server opens a stream, and is told there of what it watches") {
  store::MemoryRecords records;
  std::vector<std::string> watched;
  auto options = kept_in(records);
  options.watches = std::make_unique<protocol::LocalWatches>(
      [&](std::string_view uri, bool is_watched) { watched.push_back(std::string(uri) + (is_watched ? "+" : "-")); });
  Harness first(kept_in(records)), second(std::move(options));
  for (Harness* h : {&first, &second}) h->add(registry::Kind::resource, "note://1", [](const registry::Call&, registry::Listener&) {});
  const std::string session = open_session(first);
  const auto request = [](std::string_view method) {
    return R"({"jsonrpc":"2.0","id":1,"method":"resources/)" + std::string(method) + R"(","params":{"uri":"note://1"}})";
  };
  CHECK(at(first.legacy(request("subscribe"), session).body, "/result") == "{}");

  FakeReply& stream = second.send({"", {{"Accept", "text/event-stream"}, {"Mcp-Session-Id", session}}, "GET"});
  REQUIRE(stream.streaming);
  CHECK(watched == std::vector<std::string>{"note://1+"});
  second.turn();
  const std::size_t told = stream.events.size();
  second.server.resource_updated("note://1");
  second.turn();
  second.turn();
  REQUIRE(stream.events.size() == told + 1);
  CHECK(at(stream.events.back(), "/params/uri") == "\"note://1\"");

  CHECK(at(second.legacy(request("unsubscribe"), session).body, "/result") == "{}");
  Harness third(kept_in(records));
  CHECK(third.legacy(kList, session).status == 200);
  CHECK_FALSE(third.server.sessions().find(session, nullptr, third.loop.now_ms())->subscribed("note://1"));
}

TEST_CASE("a session of another server is its principal's alone, and unknown once it has ended") {
  store::MemoryRecords records;
  Harness first(kept_in(records), with_tokens()), second(kept_in(records), with_tokens());
  const std::string session = initialize_as(first, "alice");
  CHECK(with_token(second, "bob", kList, session).status == 404);
  CHECK(with_token(second, "bob", "", session, "DELETE").status == 404);
  CHECK(second.server.sessions().size() == 0);
  CHECK(with_token(second, "alice", kList, session).status == 200);
  CHECK(with_token(second, "bob", kList, session).status == 404);

  CHECK(with_token(second, "alice", "", session, "DELETE").status == 204);
  Harness third(kept_in(records), with_tokens());
  CHECK(with_token(third, "alice", kList, session).status == 404);
  CHECK(with_token(third, "alice", kList, std::string(600, 'x')).status == 404);
  CHECK(records.count() == 0);
}

TEST_CASE("what initialize opens is answered when the store has it, and not to a client that has left") {
  SlowRecords records;
  Harness h(kept_in(records));
  FakeReply& stays = h.legacy(kInitialize);
  FakeReply& leaves = h.legacy(kInitialize);
  CHECK(records.asked() == 2);
  CHECK_FALSE(stays.ended);
  leaves.leave();
  records.answer_all();
  h.turn();
  CHECK(stays.status == 200);
  CHECK_FALSE(stays.headers["Mcp-Session-Id"].empty());
  CHECK(leaves.status == 0);
}

TEST_CASE("requests of one session that come while it is fetched find one session, and of none are told so") {
  SlowRecords records;
  Harness first(kept_in(records)), second(kept_in(records));
  FakeReply& opened = first.legacy(kInitialize);
  records.answer_all();
  first.turn();
  const std::string session = opened.headers["Mcp-Session-Id"];
  FakeReply& one = second.legacy(kList, session);
  FakeReply& other = second.legacy(kList, session);
  FakeReply& unknown = second.legacy(kList, "unknown");
  FakeReply& gone = second.legacy(kList, session);
  gone.leave();
  CHECK(one.held);
  CHECK(records.asked() == 4);
  records.answer_all();
  for (int i = 0; i < 3; ++i) second.turn();
  CHECK(one.status == 200);
  CHECK(other.status == 200);
  CHECK(unknown.status == 404);
  CHECK(at(unknown.body, "/error/message") == R"("Unknown session: it has ended, initialize a new one")");
  CHECK(gone.status == 0);
  CHECK(second.server.sessions().size() == 1);
  CHECK(records.asked() == 0);
}

TEST_CASE("who waits in vain for a session is told to come again") {
  SlowRecords records;
  protocol::AccessRules rules;
  rules.authentication_timeout_ms = 1;
  Harness h(kept_in(records), std::move(rules));
  FakeReply& late = h.legacy(kList, "somewhere");
  CHECK(becomes_true_in(h, [&] { return !late.held; }));
  CHECK(late.status == 503);
  CHECK(late.headers["Retry-After"] == "2");
  FakeReply& ending = h.legacy(kList, "somewhere");
  h.site.give_up_held();
  CHECK(ending.status == 503);
  records.answer_all();
  h.turn();
}

TEST_CASE("so many requests wait for their sessions, of one client half, and no more; others are authenticated meanwhile") {
  SlowRecords records;
  auto rules = with_tokens();
  rules.authenticator = known_by([](std::string_view token) { return named(token); }, false);
  rules.authentications_max = 2;
  Harness h(kept_in(records), std::move(rules));
  FakeReply& waits = with_token(h, "alice", kList, "somewhere");
  CHECK(waits.held);
  FakeReply& refused = with_token(h, "alice", kList, "elsewhere");
  CHECK(refused.status == 503);
  CHECK(refused.body == "It cannot be found out now what this request goes on with: too many are waiting for that\n");
  CHECK(with_token(h, "alice", kList).status == 200);
  records.answer_all();
  h.turn();
  CHECK(waits.status == 404);
}

TEST_CASE("while the store cannot tell which sessions and tasks there are, nobody is told that there are none") {
  SlowRecords records;
  Harness h(kept_in(records));
  records.fail();
  FakeReply& in_session = h.legacy(kList, "somewhere");
  const std::string can_tasks = R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})";
  FakeReply& about_task = h.modern("tasks/get", R"("taskId":"1f",)", "1f", can_tasks);
  records.answer_all();
  h.turn();
  h.turn();
  CHECK(in_session.status == 503);
  CHECK(in_session.headers["Retry-After"] == "2");
  CHECK(in_session.body == "It cannot be found out now what this request goes on with: the store has failed\n");
  CHECK(at(about_task.body, "/error/code") == "-32603");
}

TEST_CASE("a session that the store has no room for is this server's alone") {
  store::MemoryRecords records;
  for (unsigned i = 0; i < limits::kRecordsMax; ++i) {
    records.put("host:sessions", {.key = std::to_string(i), .value = "x"}, [](Records::Answer) {});
  }
  Harness first(kept_in(records)), second(kept_in(records));
  const std::string session = open_session(first);
  CHECK(first.legacy(kList, session).status == 200);
  CHECK(second.legacy(kList, session).status == 404);
}

TEST_CASE("a session that is used is kept again before its record ends") {
  protocol::MemoryEventLogs logs;
  const auto session = std::make_shared<Session>("id", nullptr, logs);
  CHECK_FALSE(session->take_renewal(1'000'000, 10));  // no store has it
  session->begin_keeping(100);
  CHECK_FALSE(session->take_renewal(109, 10));
  CHECK(session->take_renewal(110, 10));
  CHECK_FALSE(session->take_renewal(119, 10));
  CHECK(session->take_renewal(125, 10));

  std::uint64_t now_ms = 0;
  store::MemoryRecords records([&] { return now_ms; });
  protocol::SessionRecords kept(records, 1'000);
  CHECK(kept.renewal_ms() == 250);
  session->initialize({"2025-11-25", "{}", "{}"});
  const auto is_there = [&] {
    bool there = false;
    kept.find("id", [&](Result<std::optional<Session::Record>> record) { there = record->has_value(); });
    return there;
  };
  kept.keep(session);
  now_ms = 999;
  CHECK(is_there());
  kept.keep(session);
  now_ms = 1'998;
  CHECK(is_there());
  now_ms = 1'999;
  CHECK_FALSE(is_there());
}

TEST_CASE("a request renews the record of its session") {
  SlowRecords records;
  auto options = kept_in(records);
  options.session_idle_timeout_ms = 60'000;
  Harness h(std::move(options));
  FakeReply& opened = h.legacy(kInitialize);
  records.answer_all();
  h.turn();
  const std::string session = opened.headers["Mcp-Session-Id"];
  h.legacy(kList, session);
  CHECK(records.asked() == 0);
  h.server.sessions().find(session, nullptr, h.loop.now_ms())->begin_keeping(1);  // since the machine has started
  h.legacy(kList, session);
  CHECK(records.asked() == 1);
  h.legacy(kList, session);
  CHECK(records.asked() == 1);
  records.answer_all();
}

TEST_CASE("a session that changes faster than it can be kept is put once more, as it is then") {
  SlowRecords records;
  Harness first(kept_in(records)), second(kept_in(records));
  FakeReply& opened = first.legacy(kInitialize);
  records.answer_all();
  first.turn();
  const std::string session = opened.headers["Mcp-Session-Id"];
  for (const std::string level : {"debug", "warning", "error", "alert", "critical"}) {
    first.legacy(R"({"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":")" + level + "\"}}", session);
  }
  CHECK(records.asked() == 1);
  records.answer_all();
  FakeReply& listed = second.legacy(kList, session);
  records.answer_all();
  for (int i = 0; i < 3; ++i) second.turn();
  CHECK(listed.status == 200);
  CHECK(second.server.sessions().find(session, nullptr, second.loop.now_ms())->log_severity() == 2);
}

TEST_CASE("what has ended is not kept again by whoever still has it, nor brought back by whoever fetches it") {
  store::MemoryRecords records;
  Harness h(kept_in(records));
  const std::string id = open_session(h);
  const protocol::SessionPtr session = h.server.sessions().find(id, nullptr, h.loop.now_ms());
  const Session::Record record = session->record();
  CHECK(records.count() == 1);
  h.server.at(0).sessions().end(*session);
  h.server.at(0).sessions().keep(session);
  CHECK(records.count() == 0);
  CHECK_FALSE(h.server.sessions().restore(id, nullptr, record, h.loop.now_ms()));
  CHECK(h.server.sessions().size() == 0);
}

TEST_CASE("of so many sessions that have ended it is known that they have, and of no more") {
  Harness h;
  const auto end_one = [&] {
    const protocol::SessionPtr session = h.server.sessions().find(h.initialize(), nullptr, h.loop.now_ms());
    h.server.sessions().remove(*session);
    return session;
  };
  const protocol::SessionPtr first = end_one();
  const auto can_be_restored = [&] {
    return h.server.sessions().restore(first->id(), nullptr, first->record(), h.loop.now_ms()) != nullptr;
  };
  for (unsigned i = 1; i < limits::kEndedSessionsMax; ++i) end_one();
  CHECK_FALSE(can_be_restored());
  end_one();
  CHECK(can_be_restored());
}

TEST_CASE("a session that goes for want of room is not kept either") {
  store::MemoryRecords records;
  auto options = kept_in(records);
  options.sessions_max = 2;
  Harness h(std::move(options));
  const std::string oldest = open_session(h);
  open_session(h);
  open_session(h);
  CHECK(records.count() == 2);
  CHECK(h.legacy(kList, oldest).status == 404);
}

TEST_CASE("a client's answers and event ids of before a restart are not taken for those of now") {
  store::MemoryRecords records;
  std::string session;
  {
    Harness before(kept_in(records));
    session = open_session(before);
  }
  Harness after(kept_in(records));
  FakeReply& stream =
      after.send({"", {{"Accept", "text/event-stream"}, {"Mcp-Session-Id", session}, {"Last-Event-ID", "1-57"}}, "GET"});
  REQUIRE(stream.streaming);
  CHECK(stream.status == 200);
  const auto continued = after.server.sessions().find(session, nullptr, after.loop.now_ms());
  REQUIRE(continued->is_continued());
  CHECK(continued->note_question({}, "key").value() > 1'000'000);
  CHECK_FALSE(continued->take_question(1));
  after.turn();
  std::vector<std::string> told;
  for (const std::string& event : stream.events) told.push_back(at(event, "/method"));
  CHECK(told == std::vector<std::string>{"\"notifications/tools/list_changed\"", "\"notifications/prompts/list_changed\"",
                                         "\"notifications/resources/list_changed\""});
}

TEST_CASE("a session goes on watching what is not there yet after a restart") {
  store::MemoryRecords records;
  Harness first(kept_in(records)), second(kept_in(records));
  first.add(registry::Kind::resource, "note://1", [](const registry::Call&, registry::Listener&) {});
  const std::string session = open_session(first);
  first.legacy(R"({"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"note://1"}})", session);
  CHECK(second.legacy(kList, session).status == 200);
  second.add(registry::Kind::resource, "note://1", [](const registry::Call&, registry::Listener&) {});
  FakeReply& stream = second.send({"", {{"Accept", "text/event-stream"}, {"Mcp-Session-Id", session}}, "GET"});
  second.turn();
  const std::size_t told = stream.events.size();
  second.server.resource_updated("note://1");
  second.turn();
  second.turn();
  REQUIRE(stream.events.size() == told + 1);
  CHECK(at(stream.events.back(), "/method") == "\"notifications/resources/updated\"");
}

TEST_CASE("what a store has of a session is read as it was written, and nothing else is") {
  const Session::Record record{.owner = "a \"b\"",
                               .client = {"2025-06-18", R"({"name":"x"})", R"({"roots":{}})"},
                               .log_severity = 2,
                               .watched = {"a://1", "b://\n"}};
  const std::string text = protocol::session_text(record);
  const auto read = protocol::read_session(text);
  REQUIRE(read);
  CHECK(read->owner == record.owner);
  CHECK(read->client.version == "2025-06-18");
  CHECK(read->client.info == record.client.info);
  CHECK(read->client.capabilities == record.client.capabilities);
  CHECK(read->log_severity == 2);
  CHECK(read->watched == record.watched);
  for (std::size_t size = 0; size < text.size(); ++size) CHECK_FALSE(protocol::read_session(text.substr(0, size)));
  std::string other = text;
  other.replace(other.find("2025-06-18"), 10, "2031-01-01");
  CHECK_FALSE(protocol::read_session(other));
}

TEST_CASE("what a store has of a task is read as it was written, and nothing else is") {
  const Task::Record record{.id = "1f",
                            .origin = {.dialect = Era::legacy, .owner = "session:\"x\"", .ttl_ms = 5, .has_share = true},
                            .status = Task::Status::failed,
                            .created_at_ms = 7,
                            .updated_at_ms = 8,
                            .message = "m",
                            .outcome = {"", R"({"code":-1,"message":"e"})"}};
  const std::string text = protocol::task_text(record);
  const auto read = protocol::read_task(text);
  REQUIRE(read);
  CHECK(protocol::task_text(*read) == text);
  CHECK(read->origin.owner == record.origin.owner);
  CHECK(read->origin.has_share);
  CHECK(read->status == Task::Status::failed);
  CHECK(read->outcome.error == record.outcome.error);
  for (std::size_t size = 0; size < text.size(); ++size) CHECK_FALSE(protocol::read_task(text.substr(0, size)));
}

TEST_CASE("a task that is over is there after a restart, for its owner, in both dialects") {
  store::MemoryRecords records;
  std::string session, old_task, new_task;
  const std::string can_tasks = R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})";
  {
    Harness before(kept_in(records));
    add_waiting_tool(before);
    session = open_session(before);
    old_task = begin_task(before, session);
    before.provider.end_with_text("old");
    FakeReply& begun = before.modern("tools/call", R"("name":"work",)", "work", can_tasks);
    new_task = unquoted(at(begun.body, "/result/taskId"));
    before.provider.end_with_text("new");
    before.turn();
  }
  Harness after(kept_in(records));
  CHECK(at(about(after, session, "get", old_task), "/result/status") == "\"completed\"");
  CHECK(at(about(after, session, "result", old_task), "/result/content/0/text") == "\"old\"");
  const std::string stranger = open_session(after);
  CHECK(at(about(after, stranger, "get", old_task), "/error/code") == "-32602");

  FakeReply& got = after.modern("tasks/get", R"("taskId":")" + new_task + "\",", new_task, can_tasks);
  for (int i = 0; i < 3 && !got.ended; ++i) after.turn();
  CHECK(at(got.body, "/result/status") == "\"completed\"");
  CHECK(at(got.body, "/result/result/content/0/text") == "\"new\"");
}

TEST_CASE("a task whose call ended with its process has failed, and says so") {
  store::MemoryRecords records;
  Harness before(kept_in(records)), after(kept_in(records));
  add_waiting_tool(before);
  const std::string session = open_session(before);
  const std::string task = begin_task(before, session);
  const std::string got = about(after, session, "get", task);
  CHECK(at(got, "/result/status") == "\"failed\"");
  CHECK(at(about(after, session, "result", task), "/error/message") == "\"The server was restarted while this task ran\"");
  CHECK(at(about(after, session, "cancel", task), "/error/code") == "-32602");
  before.provider.end_with_text("done");
}

TEST_CASE("a cancelled task is cancelled after a restart") {
  store::MemoryRecords records;
  Harness before(kept_in(records)), after(kept_in(records));
  add_waiting_tool(before);
  const std::string session = open_session(before);
  const std::string task = begin_task(before, session);
  CHECK(at(about(before, session, "cancel", task), "/result/status") == "\"cancelled\"");
  CHECK(at(about(after, session, "get", task), "/result/status") == "\"cancelled\"");
  before.provider.end_with_text("too late");
  before.turn();
  Harness again(kept_in(records));
  CHECK(at(about(again, session, "get", task), "/result/status") == "\"cancelled\"");
}

TEST_CASE("a task whose result cannot be kept is not said to have failed") {
  store::MemoryRecords records;
  Harness before(kept_in(records)), after(kept_in(records));
  add_waiting_tool(before);
  const std::string session = open_session(before);
  const std::string task = begin_task(before, session);
  records.put("host:tasks", {.key = "more", .value = std::string(limits::kRecordsBytesMax - 1'000, 'x')}, [](Records::Answer) {});
  before.provider.end_with_text(std::string(2'000, 'x'));
  CHECK(at(about(before, session, "get", task), "/result/status") == "\"completed\"");
  CHECK(at(about(after, session, "get", task), "/error/code") == "-32602");
}

TEST_CASE("a process does not take its own task that runs for one of before") {
  store::MemoryRecords records;
  protocol::TaskRecords ours(records), others(records);
  Task task("1f", 1, {.owner = "principal:a"}, 0, std::make_shared<std::atomic<std::size_t>>(0));
  ours.keep(task);
  std::size_t found = 9;
  const auto count = [&](Result<std::vector<Task::Record>> tasks) { found = tasks->size(); };
  ours.find("principal:a", {"1f"}, count);
  CHECK(found == 0);
  others.find("principal:a", {"1f"}, count);
  CHECK(found == 1);
  others.find("principal:b", {"1f"}, count);
  CHECK(found == 0);
  task.cancel();
  ours.keep(task);
  ours.find("principal:a", {"1f"}, count);
  CHECK(found == 1);
  ours.remove(task);
  others.find("principal:a", {"1f"}, count);
  CHECK(found == 0);
}

TEST_CASE("all tasks of an owner are found, however many pages of keys they are") {
  store::MemoryRecords records;
  const unsigned count = limits::kRecordPageKeys + 1;
  for (unsigned i = 0; i < count; ++i) {
    Task::Record record{.process = "p", .id = std::to_string(i), .origin = {.owner = "o"}, .status = Task::Status::completed};
    record.created_at_ms = count - i;
    records.put("host:tasks", {.key = "o/" + record.id, .value = protocol::task_text(record)}, [](Records::Answer) {});
  }
  protocol::TaskRecords kept(records);
  std::vector<std::string> ids;
  kept.find_all("o", [](const std::string& id) { return id != "7"; }, [&](Result<std::vector<Task::Record>> tasks) {
    for (const Task::Record& task : *tasks) ids.push_back(task.id);
  });
  CHECK(ids.size() == count - 1);
  CHECK(ids.front() == std::to_string(count - 1));
  CHECK(ids.back() == "0");
}

TEST_CASE("so many requests wait for the store, for so long, and no more") {
  SlowRecords records;
  Harness h(kept_in(records));
  const std::string can_tasks = R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})";
  const auto ask = [&]() -> FakeReply& { return h.modern("tasks/get", R"("taskId":"1f",)", "1f", can_tasks); };
  FakeReply& first = ask();
  for (unsigned i = 1; i < limits::kWaitingRequestsMax; ++i) ask();
  CHECK_FALSE(first.ended);
  CHECK(ask().status == 503);
  first.leave();
  FakeReply& last = ask();
  CHECK_FALSE(last.ended);
  h.server.at(0).cancel_calls(registry::CancelReason::shutdown);
  CHECK(last.status == 503);
  CHECK(first.status == 0);
  records.answer_all();
  h.turn();

  protocol::WaitingRequests waiting(h.loop, 1, 1);
  FakeReply reply;
  protocol::RequestPtr request = h.server.at(0).new_request();
  request->http.open(reply, {});
  request->exchange = rpc::Exchange(request->message.id, request->http);
  const auto serial = waiting.add(std::move(request));
  REQUIRE(serial);
  CHECK(becomes_true_in(h, [&] { return reply.ended; }));
  CHECK(reply.status == 503);
  CHECK_FALSE(waiting.take(*serial));
}

TEST_CASE("a stream that is asked for when the server ends its streams does not begin") {
  SlowRecords records;
  Harness h(kept_in(records));
  const std::string can_tasks = R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})";
  FakeReply& listens = h.modern("subscriptions/listen", R"("notifications":{"taskIds":["1f"]},)", "", can_tasks);
  CHECK_FALSE(listens.ended);
  h.server.at(0).end_streams();
  records.answer_all();
  h.turn();
  CHECK(at(listens.body, "/error/code") == "-32603");
}

TEST_CASE("tasks/list has those of before a restart, oldest first") {
  store::MemoryRecords records;
  Harness before(kept_in(records)), after(kept_in(records));
  add_waiting_tool(before);
  add_waiting_tool(after);
  const std::string session = open_session(before);
  const std::string first = begin_task(before, session);
  before.provider.end_with_text("1");
  FakeReply& listed = after.legacy(task_request(4, "tasks/list", "{}"), session);
  for (int i = 0; i < 3 && !listed.ended; ++i) after.turn();
  CHECK(at(listed.body, "/result/tasks/0/taskId") == "\"" + first + "\"");
  CHECK(at(listed.body, "/result/tasks/1").empty());
}

TEST_CASE("subscriptions/listen follows tasks of before a restart") {
  store::MemoryRecords records;
  const std::string can_tasks = R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})";
  Harness before(kept_in(records)), after(kept_in(records));
  add_waiting_tool(before);
  const std::string task =
      unquoted(at(before.modern("tools/call", R"("name":"work",)", "work", can_tasks).body, "/result/taskId"));
  before.provider.end_with_text("done");
  FakeReply& stream =
      after.modern("subscriptions/listen", R"("notifications":{"taskIds":[")" + task + R"(","none"]},)", "", can_tasks);
  for (int i = 0; i < 3; ++i) after.turn();
  REQUIRE(stream.events.size() == 2);
  CHECK(at(stream.events[1], "/params/taskId") == "\"" + task + "\"");
  CHECK(at(stream.events[1], "/params/status") == "\"completed\"");
}

TEST_CASE("a client that leaves while its task is fetched gets nothing, and the next one gets it") {
  SlowRecords records;
  Harness before(kept_in(records)), after(kept_in(records));
  add_waiting_tool(before);
  const std::string can_tasks = R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})";
  const std::string task =
      unquoted(at(before.modern("tools/call", R"("name":"work",)", "work", can_tasks).body, "/result/taskId"));
  before.provider.end_with_text("done");
  records.answer_all();
  FakeReply& leaves = after.modern("tasks/get", R"("taskId":")" + task + "\",", task, can_tasks);
  CHECK_FALSE(leaves.ended);
  leaves.leave();
  records.answer_all();
  after.turn();
  CHECK(leaves.status == 0);
  FakeReply& stays = after.modern("tasks/get", R"("taskId":")" + task + "\",", task, can_tasks);
  records.answer_all();
  after.turn();
  CHECK(at(stays.body, "/result/status") == "\"completed\"");
}
