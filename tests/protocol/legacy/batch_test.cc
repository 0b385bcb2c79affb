// Batches (2025-03-26, basic, Batching).
#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

struct Batches : Harness {
  Batches() {
    add_tool("echo", [this](const registry::Call& call, registry::Listener&) {
      provider.end_with_text(std::string(call.arguments->substr(0, 0)) + "now");
    });
    add_tool("slow", [this](const registry::Call&, registry::Listener& listener) { running = &listener; });
  }
  registry::Listener* running = nullptr;
};

std::string call_of(int id, const char* tool) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":"tools/call","params":{"name":")" + tool +
         R"(","arguments":{},"_meta":{"progressToken":1}}})";
}

Post without_version(std::string body, const std::string& session = "") {
  Post post{std::move(body), {{"Content-Type", "application/json"}}};
  if (!session.empty()) post.headers.push_back({"Mcp-Session-Id", session});
  return post;
}

const std::string kPing = R"({"jsonrpc":"2.0","id":"p","method":"ping"})";
const std::string kNotice = R"({"jsonrpc":"2.0","method":"notifications/initialized"})";

}  // namespace

TEST_CASE("a batch is answered with an array, in the order in which its requests end") {
  Batches h;
  FakeReply& reply = h.send(without_version("[" + call_of(1, "slow") + " ,\n" + call_of(2, "echo") + "," + kNotice + "," +
                                                kPing + ", 7 , {\"jsonrpc\":\"2.0\",\"id\":9}]",
                                            h.initialize("2025-03-26")));
  CHECK_FALSE(reply.ended);
  h.provider.end_with_text("later");
  CHECK(reply.status == 200);
  CHECK(at(reply.body, "/0/id") == "2");
  CHECK(at(reply.body, "/0/result/content/0/text") == "\"now\"");
  CHECK(at(reply.body, "/1/id") == "\"p\"");
  CHECK(at(reply.body, "/2/error/code") == "-32600");
  CHECK(at(reply.body, "/3/error/code") == "-32600");
  CHECK(at(reply.body, "/4/id") == "1");
  CHECK(at(reply.body, "/5").empty());
}

TEST_CASE("what the requests of a batch say meanwhile goes before their answers, on a stream") {
  Batches h;
  const std::string session = h.initialize("2025-03-26");
  FakeReply& reply = h.send(without_version("[" + kPing + "," + call_of(1, "slow") + "]", session));
  h.running->on_progress({1, 2, ""});
  CHECK(reply.streaming);
  h.provider.end_with_text("done");
  REQUIRE(reply.events.size() == 2);
  CHECK(at(reply.events[0], "/method") == "\"notifications/progress\"");
  CHECK(at(reply.events[1], "/0/id") == "\"p\"");
  CHECK(at(reply.events[1], "/1/id") == "1");
  CHECK(reply.ended);
}

TEST_CASE("the requests of a batch have the headers that are kept for plugins") {
  Harness h({.kept_headers = {"x-tenant"}});
  std::optional<std::string> seen;
  h.add_tool("who", [&](const registry::Call&, registry::Listener& listener) {
    seen = listener.info("header:x-tenant");
    h.provider.end_with_text("");
  });
  Post batch = without_version("[" + call_of(1, "who") + "]", h.initialize("2025-03-26"));
  batch.headers.push_back({"X-Tenant", "a"});
  h.send(batch);
  CHECK(seen == "a");
}

TEST_CASE("a batch without requests is accepted with 202") {
  Batches h;
  FakeReply& reply = h.send(without_version("[" + kNotice + "," + kNotice + "]"));
  CHECK(reply.status == 202);
  CHECK(reply.body.empty());
}

TEST_CASE("a client that leaves a batch hears no more of it") {
  Batches h;
  FakeReply& reply = h.send(without_version("[" + kPing + "," + call_of(1, "slow") + "]"));
  reply.leave();
  h.running->on_progress({1, 2, ""});
  h.provider.end_with_text("done");
  CHECK(reply.body.empty());
  CHECK(h.server.at(0).calls().size() == 0);
}

TEST_CASE("initialize comes alone") {
  Batches h;
  FakeReply& reply = h.send(without_version(
      R"([{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}])"));
  CHECK(at(reply.body, "/0/error/code") == "-32600");
  CHECK(h.server.sessions().size() == 0);
}

TEST_CASE("a batch that is none is one error") {
  Batches h;
  for (const char* bad : {"[]", "[1,", "[", "[1}]", "[{]}"}) {
    FakeReply& reply = h.send(without_version(bad));
    CAPTURE(bad, reply.body);
    CHECK(at(reply.body, "/error/code") == (std::string(bad) == "[]" ? "-32600" : "-32700"));
  }
}

TEST_CASE("a batch has as many messages as the limit, and not one more") {
  Batches h;
  const auto batch_of = [](std::size_t messages) {
    std::string body;
    for (std::size_t i = 0; i < messages; ++i) body += (i ? "," : "[") + kPing;
    return without_version(body + "]");
  };
  CHECK(at(h.send(batch_of(limits::kBatchMessagesMax)).body, "/255/id") == "\"p\"");
  CHECK(at(h.send(batch_of(limits::kBatchMessagesMax + 1)).body, "/error/code") == "-32600");
}

TEST_CASE("the other versions have no batches") {
  Batches h;
  for (const char* version : {"2024-11-05", "2025-06-18", "2025-11-25"}) {
    FakeReply& reply = h.send(without_version("[" + kPing + "]", h.initialize(version)));
    CHECK(at(reply.body, "/error/code") == "-32600");
    Post post = without_version("[" + kPing + "]");
    post.headers.push_back({"MCP-Protocol-Version", version});
    CHECK(at(h.send(post).body, "/error/code") == "-32600");
  }
  CHECK(h.send(without_version("[" + kPing + "]", "unknown")).status == 404);
}
