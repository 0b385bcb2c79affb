// What a client takes, and what it sends (RFC 9110 §12.5.1, §8.4).
#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

struct Picky : Harness {
  Picky() {
    add_tool("work", [this](const registry::Call&, registry::Listener& listener) {
      listener.on_progress({1, 2, ""});
      provider.end_with_text("done");
    });
    add_tool("ask", [this](const registry::Call& call, registry::Listener&) {
      registry::Ending ending;
      ending.how = registry::Ending::How::suspended;
      ending.input_requests.push_back({"k", R"({"method":"roots/list"})"});
      if (call.round == 0) return provider.end(std::move(ending));
      provider.end_with_text("told");
    });
  }
  FakeReply& call(const std::string& tool, std::vector<std::string> accept, bool modern = true,
                  const std::string& session = "") {
    Post post;
    post.headers = {{"Content-Type", "application/json"}};
    for (std::string& line : accept) post.headers.push_back({"Accept", std::move(line)});
    std::string meta = R"("progressToken":1)";
    if (modern) {
      post.headers.insert(
          post.headers.end(),
          {{"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", "tools/call"}, {"Mcp-Name", tool}});
      meta += R"(,"io.modelcontextprotocol/protocolVersion":"2026-07-28")"
              R"(,"io.modelcontextprotocol/clientCapabilities":{})";
    }
    if (!session.empty()) post.headers.push_back({"Mcp-Session-Id", session});
    post.body = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" + tool + R"(","_meta":{)" +
                meta + "}}}";
    return send(post);
  }
};

std::string answer(const FakeReply& reply) { return reply.streaming ? reply.events.back() : reply.body; }

}  // namespace

TEST_CASE("the Accept header decides whether an answer may be a stream, and whether it must") {
  Picky h;
  const auto [accept, json, events] = GENERATE(table<std::vector<std::string>, bool, bool>({
      {{}, true, true},
      {{""}, true, true},
      {{"*/*"}, true, true},
      {{"application/json, text/event-stream"}, true, true},
      {{"application/json", "text/event-stream"}, true, true},
      {{"application/json;q=0.5,text/event-stream;q=0.1"}, true, true},
      {{"Application/JSON ; charset=utf-8"}, true, false},
      {{"application/*"}, true, false},
      {{"application/json, text/event-stream;q=0"}, true, false},
      {{"*/*, text/event-stream; q=0.000"}, true, false},
      {{"text/event-stream;q=0, text/*, application/json"}, true, false},
      {{"text/event-stream"}, false, true},
      {{"text/*;q=0.5, image/png"}, false, true},
      {{"*/*;q=0.1, application/json;q=0"}, false, true},
      {{"application/*;q=0, */*"}, false, true},
      {{"text/html"}, false, false},
      {{"*/*;q=0"}, false, false},
      {{"application/jsonp, text/event-streams"}, false, false},
      {{"application/json;q=0", "text/event-stream;q=0.0"}, false, false},
      {{"x/y;p=\"application/json, text/event-stream\""}, false, false},
  }));
  const bool modern = GENERATE(true, false);
  INFO((accept.empty() ? "none" : accept.front()));
  FakeReply& reply = h.call("work", accept, modern);
  if (!json && !events) {
    CHECK(reply.status == 406);
    return;
  }
  CHECK(reply.status == 200);
  CHECK(reply.ended);
  CHECK(reply.streaming == events);
  CHECK(at(answer(reply), "/result/content/0/text") == "\"done\"");
  CHECK(reply.events.size() == (events ? 2 : 0));  // with its progress, or without
}

TEST_CASE("an answer at once is an event for a client that takes nothing else, an error says so by its status") {
  Picky h;
  FakeReply& missing = h.call("none", {"text/event-stream"});
  CHECK(missing.streaming);
  CHECK(missing.ended);
  CHECK(at(answer(missing), "/error/code") == "-32602");
  FakeReply& unread = h.send({"{", {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}}});
  CHECK(unread.status == 400);
  CHECK(unread.headers["Content-Type"] == "application/json");
  FakeReply& initialized =
      h.send({R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})",
              {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}}});
  CHECK(initialized.streaming);
  CHECK(initialized.headers["Mcp-Session-Id"].size() == 32);
  CHECK(at(answer(initialized), "/result/protocolVersion") == "\"2025-11-25\"");
}

TEST_CASE("a client that takes no stream is not asked on one, and is told so at once") {
  Picky h;
  const std::string session = h.initialize();
  FakeReply& reply = h.call("ask", {"application/json"}, false, session);
  CHECK(reply.ended);
  CHECK(at(reply.body, "/result/isError") == "true");
  CHECK(h.server.at(0).calls().size() == 0);
  FakeReply& asked = h.call("ask", {"application/json, text/event-stream"}, false, session);
  CHECK(asked.streaming);
  CHECK(at(asked.events.back(), "/method") == "\"roots/list\"");
  asked.leave();
}

TEST_CASE("a subscription needs a client that takes streams") {
  Harness h;
  Post post;
  post.headers = {{"Content-Type", "application/json"},
                  {"Accept", "application/json"},
                  {"MCP-Protocol-Version", "2026-07-28"},
                  {"Mcp-Method", "subscriptions/listen"}};
  post.body =
      R"({"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{},"_meta":)"
      R"({"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}})";
  CHECK(h.send(post).status == 406);
}

TEST_CASE("a body that is not JSON as it stands is refused, and its sender told what would be") {
  Harness h;
  FakeReply& stream = h.send({"", {{"Accept", "text/event-stream"}}, "GET", "/sse"});
  const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  for (const std::string& path : {std::string("/mcp"), "/" + stream.events.at(0)}) {
    INFO(path);
    const auto send = [&](std::vector<std::pair<std::string, std::string>> headers) -> FakeReply& {
      return h.send({ping, std::move(headers), "POST", path});
    };
    const std::pair<std::string, std::string> json = {"Content-Type", "application/json"};
    FakeReply& gzip = send({json, {"Content-Encoding", "gzip"}});
    CHECK(gzip.status == 415);
    CHECK(gzip.headers["Accept-Encoding"] == "identity");
    CHECK(send({json, {"Content-Encoding", "identity"}, {"Content-Encoding", "br"}}).status == 415);
    CHECK(send({json, {"Content-Encoding", "identity, gzip"}}).status == 415);
    CHECK(send({json, {"Content-Encoding", "Identity"}}).status / 100 == 2);
    CHECK(send({json, {"Content-Encoding", ""}}).status / 100 == 2);
    CHECK(send({json, json}).status / 100 == 2);
    CHECK(send({{"Content-Type", "application/json, application/json;charset=\"a,b\""}}).status / 100 == 2);
    CHECK(send({json, {"Content-Type", "text/plain"}}).status == 415);
    CHECK(send({{"Content-Type", "text/plain"}, json}).status == 415);
    CHECK(send({{"Content-Type", "application/json, text/plain"}}).status == 415);
    CHECK(send({{"Content-Type", ""}}).status == 415);
    CHECK(send({}).status == 415);
  }
}
