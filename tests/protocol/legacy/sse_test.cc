// HTTP with SSE (2024-11-05, basic/transports).
#include "protocol/harness.h"
#include "protocol/legacy/far_event_logs.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

struct OldClient : Harness {
  explicit OldClient(protocol::ServerOptions options = {}) : Harness(std::move(options)) {}

  FakeReply& stream = send({"", {{"Accept", "text/event-stream"}}, "GET", "/sse"});
  std::string address = stream.events.empty() ? "" : "/" + stream.events[0];  // as it stands to /sse

  int post(std::string body) {
    stream.conversation.client_sent(body);
    const int status = send({std::move(body), {{"Content-Type", "application/json"}}, "POST", address}).status;
    turn();
    return status;
  }
  void initialize_session() {
    post(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":)"
         R"({"elicitation":{}},"clientInfo":{"name":"old","version":"1"}}})");
  }
  std::string last(const char* pointer) { return at(stream.events.back(), pointer); }
};

}  // namespace

TEST_CASE("the stream begins with the address that messages go to, and carries all answers") {
  OldClient h;
  CHECK(h.stream.streaming);
  CHECK(h.address.starts_with("/sse?session="));
  CHECK(h.post(R"({"jsonrpc":"2.0","id":7,"method":"initialize","params":{"protocolVersion":"2024-11-05"}})") ==
        202);
  CHECK(h.last("/id") == "7");
  CHECK(h.last("/result/protocolVersion") == "\"2024-11-05\"");
  CHECK(h.post(R"({"jsonrpc":"2.0","method":"notifications/initialized"})") == 202);
  CHECK(h.stream.events.size() == 2);
  CHECK(h.stream.last_event_id.empty());
  h.post(R"({"jsonrpc":"2.0","id":8,"method":"initialize","params":{"protocolVersion":"2024-11-05"}})");
  CHECK(h.last("/error/code") == "-32600");
}

TEST_CASE("calls, their progress and changed lists come on the one stream") {
  OldClient h;
  h.initialize_session();
  registry::Listener* running = nullptr;
  h.add_tool("slow", [&](const registry::Call&, registry::Listener& listener) { running = &listener; });
  h.turn();
  CHECK(h.last("/method") == "\"notifications/tools/list_changed\"");
  h.post(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow","_meta":{"progressToken":5}}})");
  running->on_progress({1, 0, ""});
  h.turn();
  CHECK(h.last("/params/progressToken") == "5");
  h.provider.end_with_text("done");
  h.turn();
  CHECK(h.last("/result/content/0/text") == "\"done\"");
  h.post(R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"slow"}})");
  h.post(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}})");
  CHECK(h.provider.cancelled.size() == 1);
  h.provider.end_with_text("late");
}

TEST_CASE("a call has the headers of its own message that are kept for plugins") {
  OldClient h({.kept_headers = {"x-tenant"}});
  h.initialize_session();
  std::optional<std::string> seen;
  h.add_tool("who", [&](const registry::Call&, registry::Listener& listener) {
    seen = listener.info("header:x-tenant");
    h.provider.end_with_text("");
  });
  h.send({R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"who"}})",
          {{"Content-Type", "application/json"}, {"X-Tenant", "a"}}, "POST", h.address});
  h.turn();
  CHECK(seen == "a");
}

TEST_CASE("the address is relative, since a proxy may have taken a prefix off ours") {
  OldClient h;
  CHECK(h.stream.events.at(0).starts_with("sse?session="));
}

TEST_CASE("a client that reads slowly is sent no more than it takes, and nothing is lost") {
  OldClient h;
  h.initialize_session();
  const std::string large(limits::kStreamAheadBytes, 'x');
  h.add_tool("large", [&](const registry::Call&, registry::Listener&) { h.provider.end_with_text(large); });
  h.turn();
  const std::size_t before = h.stream.events.size();
  h.stream.waiting = limits::kStreamAheadBytes;
  for (const char* id : {"1", "2", "3"}) {
    h.post(R"({"jsonrpc":"2.0","id":)" + std::string(id) +
           R"(,"method":"tools/call","params":{"name":"large","arguments":{}}})");
  }
  CHECK(h.stream.events.size() == before);
  h.stream.waiting = 0;
  h.stream.observer->on_sent();
  CHECK(h.stream.events.size() == before + 3);
  CHECK(h.last("/id") == "3");
}

TEST_CASE("answers that are kept elsewhere come on the stream when they have come from there, and are not asked for again") {
  auto far_logs = std::make_unique<FarEventLogs>();
  FarEventLogs& logs = *far_logs;
  OldClient h({.event_logs = std::move(far_logs)});
  FarEventLog& log = logs.at(h.address.substr(h.address.find('=') + 1), 1);
  h.post(R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
  h.post(R"({"jsonrpc":"2.0","id":2,"method":"ping"})");
  CHECK(h.stream.events.size() == 1);  // the address alone
  CHECK(log.bring());
  h.turn();
  CHECK(h.last("/id") == "1");
  CHECK(log.forgotten() == 1);
  CHECK(log.bring());
  h.turn();
  CHECK(h.last("/id") == "2");
  CHECK(log.forgotten() == 2);
  CHECK_FALSE(log.bring());
}

TEST_CASE("a bad message is answered on the stream too") {
  OldClient h;
  CHECK(h.post("{") == 202);
  CHECK(h.last("/error/code") == "-32700");
  CHECK(h.post("[]") == 202);
  CHECK(h.last("/error/code") == "-32600");
}

TEST_CASE("the session ends with its stream") {
  OldClient h;
  h.initialize_session();
  CHECK(h.server.sessions().size() == 1);
  h.stream.leave();
  CHECK(h.server.sessions().size() == 0);
  CHECK(h.post(R"({"jsonrpc":"2.0","id":1,"method":"ping"})") == 404);
}

TEST_CASE("posts to no session, to one without a stream, or of another type are refused") {
  OldClient h;
  const auto post = [&](std::string path, std::string type) {
    return h.send({R"({"jsonrpc":"2.0","id":1,"method":"ping"})", {{"Content-Type", type}}, "POST", path}).status;
  };
  CHECK(post("/sse?session=none", "application/json") == 404);
  CHECK(post("/sse?session=" + h.initialize("2024-11-05"), "application/json") == 404);
  CHECK(post("/sse", "application/json") == 405);
  CHECK(post(h.address, "text/plain") == 415);
  CHECK(h.send({"", {}, "DELETE", "/sse"}).status == 405);
}
