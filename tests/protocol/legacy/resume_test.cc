// What a legacy client that comes back is given (2025-11-25, basic/transports, Resumability and Redelivery).
#include "protocol/harness.h"
#include "protocol/legacy/far_event_logs.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

Post get_after(const std::string& session, const std::string& last_event_id = "") {
  Post post{"", {{"Accept", "text/event-stream"}, {"Mcp-Session-Id", session}}, "GET"};
  if (!last_event_id.empty()) post.headers.push_back({"Last-Event-ID", last_event_id});
  return post;
}

std::string call_slow(const std::string& id) {
  return R"({"jsonrpc":"2.0","id":)" + id +
         R"(,"method":"tools/call","params":{"name":"slow","_meta":{"progressToken":7}}})";
}

// A tool that says how far it is and goes on; end_with_text() ends it.
struct Talking : Harness {
  registry::Listener* running = nullptr;
  Talking() : Talking({.list_changed_interval_ms = 0}) {}  // it tells of each change
  explicit Talking(protocol::ServerOptions options) : Harness(std::move(options)) {
    add_tool("slow", [this](const registry::Call&, registry::Listener& listener) { running = &listener; });
  }
  void progress(double done) { running->on_progress({done, 0, ""}); }
};

}  // namespace

TEST_CASE("a stream begins with an event to come back to, for a client that understands it") {
  Talking h;
  FakeReply& reply = h.legacy(call_slow("1"), h.initialize());
  CHECK_FALSE(reply.streaming);
  h.progress(1);
  CHECK(reply.events.size() == 1);
  CHECK(reply.last_event_id == "1-2");
  h.provider.end_with_text("done");
  CHECK(reply.ended);

  FakeReply& older = h.legacy(call_slow("1"), h.initialize("2025-03-26"));
  h.progress(1);
  CHECK(older.last_event_id == "1-1");
  h.provider.end_with_text("done");
  FakeReply& oldest = h.legacy(call_slow("1"), h.initialize("2024-11-05"));
  h.progress(1);
  CHECK(oldest.last_event_id.empty());
  h.provider.end_with_text("done");
}

TEST_CASE("a client whose stream broke gets the rest, on a stream of its own") {
  Talking h;
  const std::string session = h.initialize();
  FakeReply& first = h.legacy(call_slow("1"), session);
  h.progress(1);
  const std::string last = first.last_event_id;
  first.leave();
  CHECK(h.provider.cancelled.empty());
  h.progress(2);
  FakeReply& second = h.send(get_after(session, last));
  CHECK(second.events.size() == 1);
  CHECK(at(second.events[0], "/params/progress") == "2");
  second.leave();
  h.progress(3);
  FakeReply& third = h.send(get_after(session, second.last_event_id));
  h.provider.end_with_text("done");
  h.turn();
  CHECK(third.events.size() == 2);
  CHECK(at(third.events[1], "/result/content/0/text") == "\"done\"");
  CHECK(third.ended);

  FakeReply& again = h.send(get_after(session, last));  // the answer is still kept
  CHECK(again.events.size() == 3);
  CHECK(again.ended);
}

TEST_CASE("a client that comes back before its connection is known to be dead is served on the new one") {
  Talking h;
  const std::string session = h.initialize();
  FakeReply& first = h.legacy(call_slow("1"), session);
  h.progress(1);
  FakeReply& second = h.send(get_after(session, first.last_event_id));
  h.progress(2);
  h.turn();
  CHECK(first.ended);
  CHECK(first.events.size() == 1);
  CHECK(second.events.size() == 1);
  h.provider.end_with_text("done");
  h.turn();
  CHECK(second.ended);
}

TEST_CASE("a plugin may close the stream of a call: the client comes back for the answer") {
  Talking h;
  const std::string session = h.initialize();
  FakeReply& first = h.legacy(call_slow("1"), session);
  h.running->on_close_stream(500);
  CHECK(first.ended);
  CHECK(first.events.empty());
  CHECK(first.retry_ms == 500u);
  h.provider.end_with_text("done");
  FakeReply& second = h.send(get_after(session, first.last_event_id));
  REQUIRE(second.events.size() == 1);
  CHECK(at(second.events[0], "/id") == "1");
  CHECK(second.ended);
}

TEST_CASE("a stream whose client could not come back is not closed") {
  Talking h;
  const auto stays = [&](FakeReply& reply) {
    h.running->on_close_stream(500);
    const bool open = !reply.ended;
    h.provider.end_with_text("done");
    return open && reply.status == 200 && !reply.streaming;
  };
  CHECK(stays(h.legacy(call_slow("1"), h.initialize("2025-06-18"))));
  CHECK(stays(h.legacy(call_slow("1"))));
  CHECK(stays(h.modern("tools/call", R"("name":"slow",)", "slow")));
}

TEST_CASE("an event of another session, or one that is not kept, is no place to come back to") {
  Talking h;
  const std::string session = h.initialize();
  FakeReply& first = h.legacy(call_slow("1"), session);
  h.progress(1);
  CHECK(h.send(get_after(h.initialize(), first.last_event_id)).status == 400);
  for (const char* bad : {"2-1", "0-0", "x", "1"}) CHECK(h.send(get_after(session, bad)).status == 400);
  h.provider.end_with_text("done");
}

TEST_CASE("what belongs to no request waits for a client whose side stream broke") {
  Talking h;
  const std::string session = h.initialize();
  FakeReply& first = h.send(get_after(session));
  CHECK(first.last_event_id == "1-1");
  first.leave();
  h.add_tool("new", [](const registry::Call&, registry::Listener&) {});
  FakeReply& second = h.send(get_after(session, first.last_event_id));
  CHECK(second.events.size() == 1);
  h.add_tool("newer", [](const registry::Call&, registry::Listener&) {});
  h.turn();
  CHECK(second.events.size() == 2);
}

TEST_CASE("a call that was cancelled by message has nothing to come back for") {
  Talking h;
  const std::string session = h.initialize();
  FakeReply& first = h.legacy(call_slow("1"), session);
  h.progress(1);
  h.legacy(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})", session);
  h.turn();
  CHECK(first.ended);
  FakeReply& second = h.send(get_after(session, first.last_event_id));
  CHECK(second.events.empty());
  CHECK(second.ended);
  h.provider.end_with_text("late");
}

TEST_CASE("events that are kept elsewhere reach a client that comes back when they have come from there") {
  auto far_logs = std::make_unique<FarEventLogs>();
  FarEventLogs& logs = *far_logs;
  Talking h({.event_logs = std::move(far_logs)});
  const std::string session = h.initialize();
  FakeReply& first = h.legacy(call_slow("1"), session);
  h.progress(1);
  FarEventLog& log = logs.at(session, 1);
  const std::string last = first.last_event_id;
  first.leave();
  h.progress(2);

  FakeReply& left = h.send(get_after(session, last));
  left.leave();  // with a reading under way
  FakeReply& second = h.send(get_after(session, last));
  CHECK(second.streaming);
  h.turn();
  CHECK(second.events.empty());
  CHECK(log.bring());
  h.turn();
  REQUIRE(second.events.size() == 1);
  CHECK(at(second.events[0], "/params/progress") == "2");
  CHECK_FALSE(log.bring());  // there is no more to wait for, yet

  h.progress(3);
  h.provider.end_with_text("done");
  h.turn();
  CHECK(second.events.size() == 1);
  while (log.bring()) h.turn();
  REQUIRE(second.events.size() == 3);
  CHECK(at(second.events[1], "/params/progress") == "3");
  CHECK(at(second.events[2], "/result/content/0/text") == "\"done\"");
  CHECK(second.last_event_id == "1-5");
  CHECK(second.ended);
  CHECK(left.events.empty());
}
