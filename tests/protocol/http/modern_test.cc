// The modern era over HTTP: check order, status codes, result stamps (2026-07-28).
#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

const std::string kClientMeta =
    R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}})";

std::vector<std::pair<std::string, std::string>> headers(std::string version, std::string method,
                                                         std::string name = "") {
  std::vector<std::pair<std::string, std::string>> all = {{"Content-Type", "application/json"}};
  if (!version.empty()) all.push_back({"MCP-Protocol-Version", version});
  if (!method.empty()) all.push_back({"Mcp-Method", method});
  if (!name.empty()) all.push_back({"Mcp-Name", name});
  return all;
}

void echo(FakeProvider& provider, const registry::Call& call) {
  provider.end_with_text(call.arguments ? "given" : "absent");
}

}  // namespace

TEST_CASE("a tool is called and its result stamped") {
  Harness h;
  h.add_tool("echo", [&](const registry::Call& call, registry::Listener&) { echo(h.provider, call); });
  FakeReply& reply = h.modern("tools/call", R"("name":"echo","arguments":{},)", "echo");
  CHECK(reply.status == 200);
  CHECK(reply.headers["Content-Type"] == "application/json");
  CHECK(reply.body ==
        R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"given"}],"resultType":"complete",)"
        R"("_meta":{"io.modelcontextprotocol/serverInfo":{"name":"collet","version":"9.9"}}}})");
  CHECK(at(h.modern("tools/call", R"("name":"echo",)", "echo").body, "/result/content/0/text") == "\"absent\"");
}

TEST_CASE("the tool sees its arguments exactly as they were sent") {
  Harness h;
  std::string seen;
  h.add_tool("echo", [&](const registry::Call& call, registry::Listener&) {
    seen = *call.arguments;
    h.provider.end_with_text("ok");
  });
  h.modern("tools/call", R"("name":"echo","arguments": { "a" : 1.50e1 , "a":2 },)", "echo");
  CHECK(seen == R"({ "a" : 1.50e1 , "a":2 })");
}

TEST_CASE("what is wrong with a modern request is found in the specified order") {
  Harness h;
  h.add_tool("echo", [&](const registry::Call& call, registry::Listener&) { echo(h.provider, call); });
  h.add_tool("ask", [&](const registry::Call& call, registry::Listener&) { echo(h.provider, call); }, "{}",
             {.needs_sampling = true});
  const std::string call = R"({"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"echo",)";
  const std::string other = R"("_meta":{"io.modelcontextprotocol/protocolVersion":"1900-01-01",)"
                            R"("io.modelcontextprotocol/clientCapabilities":{}}}})";
  struct Case {
    std::string what;
    Post post;
    int status;
    std::string code;
  };
  const Case cases[] = {
      {"a Host that is not ours comes first", {.body = "{", .host = "evil.example.com"}, 403, ""},
      {"an Origin that is not ours", {"{", {{"Origin", "http://evil.example.com"}}}, 403, ""},
      {"no version header", {call + kClientMeta + "}}", headers("", "tools/call", "echo")}, 400, "-32020"},
      {"no _meta", {call + R"("x":1}})", headers("2026-07-28", "tools/call", "echo")}, 400, "-32602"},
      {"no capabilities",
       {call + R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})",
        headers("2026-07-28", "tools/call", "echo")},
       400,
       "-32602"},
      {"header and body name two versions",
       {call + kClientMeta + "}}", headers("2025-11-25", "tools/call", "echo")},
       400,
       "-32020"},
      {"an unknown version", {call + other, headers("1900-01-01", "tools/call", "echo")}, 400, "-32022"},
      {"no Mcp-Method", {call + kClientMeta + "}}", headers("2026-07-28", "", "echo")}, 400, "-32020"},
      {"another Mcp-Method", {call + kClientMeta + "}}", headers("2026-07-28", "tools/list", "echo")}, 400, "-32020"},
      {"Mcp-Method in another case",
       {call + kClientMeta + "}}", headers("2026-07-28", "Tools/Call", "echo")},
       400,
       "-32020"},
      {"no Mcp-Name", {call + kClientMeta + "}}", headers("2026-07-28", "tools/call")}, 400, "-32020"},
      {"another Mcp-Name", {call + kClientMeta + "}}", headers("2026-07-28", "tools/call", "ask")}, 400, "-32020"},
      {"an unknown method",
       {R"({"jsonrpc":"2.0","id":"x","method":"no/such","params":{)" + kClientMeta + "}}",
        headers("2026-07-28", "no/such")},
       404,
       "-32601"},
      {"a method of the other era",
       {R"({"jsonrpc":"2.0","id":"x","method":"ping","params":{)" + kClientMeta + "}}", headers("2026-07-28", "ping")},
       404,
       "-32601"},
      {"initialize with modern _meta",
       {R"({"jsonrpc":"2.0","id":"x","method":"initialize","params":{)" + kClientMeta + "}}",
        headers("2026-07-28", "initialize")},
       404,
       "-32601"},
      {"a capability that the client lacks",
       {R"({"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"ask",)" + kClientMeta + "}}",
        headers("2026-07-28", "tools/call", "ask")},
       400,
       "-32021"},
      {"an unknown tool",
       {R"({"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"none",)" + kClientMeta + "}}",
        headers("2026-07-28", "tools/call", "none")},
       200,
       "-32602"},
      {"arguments null",
       {call + R"("arguments":null,)" + kClientMeta + "}}", headers("2026-07-28", "tools/call", "echo")},
       200,
       "-32602"},
      {"arguments an array",
       {call + R"("arguments":[],)" + kClientMeta + "}}", headers("2026-07-28", "tools/call", "echo")},
       200,
       "-32602"},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    FakeReply& reply = h.send(c.post);
    INFO(reply.body);
    CHECK(reply.status == c.status);
    if (c.code.empty()) continue;
    CHECK(at(reply.body, "/error/code") == c.code);
    CHECK(at(reply.body, "/id") == "\"x\"");
  }
  FakeReply& unsupported = h.send(cases[6].post);
  CHECK(
      at(unsupported.body, "/error/data") ==
      R"({"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"1900-01-01"})");
  FakeReply& lacking = h.send(cases[15].post);
  CHECK(at(lacking.body, "/error/data/requiredCapabilities") == R"({"sampling":{}})");
}

TEST_CASE("Mcp-Name may be base64, which is decoded before it is compared") {
  Harness h;
  h.add_tool("echo", [&](const registry::Call& call, registry::Listener&) { echo(h.provider, call); });
  const auto status = [&](const char* name) { return h.modern("tools/call", R"("name":"echo",)", name).status; };
  CHECK(status("=?base64?ZWNobw==?=") == 200);
  CHECK(status("=?base64?ZWNobw=?=") == 400);
  CHECK(status("=?base64?ZWNo*w==?=") == 400);
  CHECK(status("=?base64?ZWNobw==") == 400);
  CHECK(status("ZWNobw==") == 400);
}

TEST_CASE("content type, accept, path and method are checked") {
  Harness h;
  const auto status = [&](Post post) { return h.send(post).status; };
  CHECK(status({"{}", {}}) == 415);
  CHECK(status({"{}", {{"Content-Type", "text/plain"}}}) == 415);
  CHECK(status({"{", {{"Content-Type", "application/json"}, {"Accept", "text/html"}}}) == 406);
  CHECK(status(
            {"{", {{"Content-Type", "Application/JSON ; charset=utf-8"}, {"Accept", "text/*;q=0.5, image/png"}}}) ==
        400);
  CHECK(status({.body = "", .path = "/"}) == 404);
  CHECK(status({.body = "", .method = "PUT"}) == 405);
  CHECK(status({.body = "", .method = "GET"}) == 405);
}

TEST_CASE("an error about a message that cannot be read has no id") {
  Harness h;
  FakeReply& reply = h.send({"{", {{"Content-Type", "application/json"}, {"MCP-Protocol-Version", "2026-07-28"}}});
  CHECK(reply.status == 400);
  CHECK(at(reply.body, "/error/code") == "-32700");
  CHECK(at(reply.body, "/id") == "");
}

TEST_CASE("progress before the answer turns it into a stream, and only if the client gave a token") {
  Harness h;
  h.add_tool("work", [&](const registry::Call&, registry::Listener& listener) {
    listener.on_progress({1, 2, "half"});
    listener.on_progress({2.5, 0, ""});
    h.provider.end_with_text("done");
  });
  FakeReply& plain = h.modern("tools/call", R"("name":"work",)", "work");
  CHECK_FALSE(plain.streaming);
  FakeReply& streamed = h.modern("tools/call", R"("name":"work",)", "work", "{}", R"(,"progressToken":"t1")");
  CHECK(streamed.streaming);
  CHECK(streamed.ended);
  REQUIRE(streamed.events.size() == 3);
  CHECK(
      streamed.events[0] ==
      R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t1","progress":1,"total":2,"message":"half"}})");
  CHECK(at(streamed.events[1], "/params") == R"({"progressToken":"t1","progress":2.5})");
  CHECK(at(streamed.events[2], "/result/content/0/text") == "\"done\"");
}

TEST_CASE("log messages go to who asked for them, at the level asked for") {
  Harness h;
  h.add_tool("work", [&](const registry::Call&, registry::Listener& listener) {
    listener.on_log({4, "db", R"("slow")"});
    listener.on_log({6, "", R"({"a":1})"});
    h.provider.end_with_text("done");
  });
  CHECK_FALSE(h.modern("tools/call", R"("name":"work",)", "work").streaming);
  FakeReply& reply =
      h.modern("tools/call", R"("name":"work",)", "work", "{}", R"(,"io.modelcontextprotocol/logLevel":"warning")");
  REQUIRE(reply.events.size() == 2);
  CHECK(
      reply.events[0] ==
      R"({"jsonrpc":"2.0","method":"notifications/message","params":{"level":"warning","logger":"db","data":"slow"}})");
  CHECK(h.modern("tools/call", R"("name":"work",)", "work", "{}", R"(,"io.modelcontextprotocol/logLevel":"loud")")
            .status == 400);
}

TEST_CASE("a client that leaves cancels its call, and the plugin's late answer goes nowhere") {
  Harness h;
  h.add_tool("slow", [](const registry::Call&, registry::Listener&) {});
  FakeReply& reply = h.modern("tools/call", R"("name":"slow",)", "slow");
  CHECK_FALSE(reply.ended);
  reply.leave();
  CHECK(h.provider.cancelled == std::vector{registry::CancelReason::client});
  h.provider.end_with_text("late");
  CHECK(reply.body.empty());
  CHECK(h.server.at(0).calls().size() == 0);
}

TEST_CASE("a call past its deadline is answered with an error result, and its plugin asked to stop") {
  Harness h;
  h.add_tool(
      "slow", [](const registry::Call&, registry::Listener&) {}, "{}", {}, 1);
  FakeReply& reply = h.modern("tools/call", R"("name":"slow",)", "slow");
  while (!reply.ended) h.turn();
  CHECK(at(reply.body, "/result/isError") == "true");
  CHECK(at(reply.body, "/result/content/0/text") == "\"The tool did not answer within 1 ms\"");
  CHECK(h.provider.cancelled == std::vector{registry::CancelReason::deadline});
  h.provider.end_with_text("late");
  CHECK(h.server.at(0).calls().size() == 0);
}

TEST_CASE("what a plugin says besides content reaches the client") {
  Harness h;
  registry::Ending ending;
  ending.is_error = true;
  ending.structured = R"({"n":1})";
  ending.meta = R"({"org.example/k":true})";
  ending.fields = R"("extra":[])";
  h.add_tool("rich", [&](const registry::Call&, registry::Listener&) { h.provider.end(ending); });
  const std::string body = h.modern("tools/call", R"("name":"rich",)", "rich").body;
  CHECK(at(body, "/result/content") == "[]");
  CHECK(at(body, "/result/structuredContent") == R"({"n":1})");
  CHECK(at(body, "/result/isError") == "true");
  CHECK(at(body, "/result/extra") == "[]");
  CHECK(at(body, "/result/_meta/org.example~1k") == "true");
  CHECK(at(body, "/result/_meta/io.modelcontextprotocol~1serverInfo/name") == "\"collet\"");

  ending = {};
  ending.how = registry::Ending::How::failed;
  ending.rpc_code = -32050;
  ending.message = "no";
  ending.data = R"({"why":1})";
  CHECK(at(h.modern("tools/call", R"("name":"rich",)", "rich").body, "/error") ==
        R"({"code":-32050,"message":"no","data":{"why":1}})");
}

TEST_CASE("arguments that do not fit never reach the tool, and the model is told how to mend them, in both eras") {
  Harness h;
  h.add_tool(
      "run", [](const registry::Call&, registry::Listener&) { FAIL("called"); },
      R"({"inputSchema":{"type":"object","properties":{"by":{"enum":["asc","desc"]}},"required":["by"]}})");
  const std::string expected =
      "Invalid arguments for run:\n/by [enum] must be one of [\"asc\",\"desc\"], got \"up\"";
  const auto check = [&](const std::string& body) {
    json::Document document;
    REQUIRE_FALSE(json::parse(body, document));
    CHECK(at(body, "/result/isError") == "true");
    CHECK(document["result"]["content"][0]["text"].GetString() == expected);
  };
  check(h.modern("tools/call", R"("name":"run","arguments":{"by":"up"},)", "run").body);
  check(
      h.legacy(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"run","arguments":{"by":"up"}}})")
          .body);
  CHECK(at(h.modern("tools/call", R"("name":"run",)", "run").body, "/result/isError") == "true");
}

TEST_CASE("structured content that breaks the tool's promise is withheld") {
  Harness h;
  std::string structured;
  bool is_error = false;
  h.add_tool(
      "run",
      [&](const registry::Call&, registry::Listener&) {
        registry::Ending ending;
        ending.structured = structured;
        ending.is_error = is_error;
        h.provider.end(std::move(ending));
      },
      R"({"outputSchema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}})");
  const auto result = [&](std::string what) {
    structured = std::move(what);
    return h.modern("tools/call", R"("name":"run",)", "run").body;
  };
  CHECK(at(result(R"({"n":1})"), "/result/structuredContent") == R"({"n":1})");
  for (const char* wrong : {"", "{}", R"({"n":"x"})"}) {
    const std::string body = result(wrong);
    CHECK(at(body, "/result/isError") == "true");
    CHECK(at(body, "/result/structuredContent") == "");
  }
  is_error = true;  // an error promises nothing
  CHECK(at(result(""), "/result/content") == "[]");
}

TEST_CASE("a plugin learns who calls") {
  Harness h;
  std::map<std::string, std::string> seen;
  h.add_tool("who", [&](const registry::Call&, registry::Listener& listener) {
    for (const char* key :
         {"protocolVersion", "era", "transport", "clientCapabilities", "_meta", "session", "nonsense"}) {
      if (const auto value = listener.info(key)) seen[key] = *value;
    }
    h.provider.end_with_text("");
  });
  h.modern("tools/call", R"("name":"who",)", "who", R"({"roots":{}})", R"(,"traceparent":"00-1")");
  CHECK(seen["protocolVersion"] == "2026-07-28");
  CHECK(seen["era"] == "modern");
  CHECK(seen["transport"] == "http");
  CHECK(seen["clientCapabilities"] == R"({"roots":{}})");
  CHECK(at(seen["_meta"], "/traceparent") == "\"00-1\"");
  CHECK_FALSE(seen.contains("session"));
  CHECK_FALSE(seen.contains("nonsense"));
}

TEST_CASE("a plugin learns the headers that are kept for it, one by one and all at once") {
  Harness h({.kept_headers = {"x-tenant", "x-absent"}});
  std::map<std::string, std::string> seen;
  h.add_tool("who", [&](const registry::Call&, registry::Listener& listener) {
    seen.clear();
    for (const char* key : {"headers", "header:X-Tenant", "header:x-absent", "header:x-other"}) {
      if (const auto value = listener.info(key)) seen[key] = *value;
    }
    h.provider.end_with_text("");
  });
  const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"who"}})";
  h.send({body, {{"Content-Type", "application/json"}, {"X-TENANT", "\"a\""}, {"X-Other", "b"}}});
  CHECK(seen == std::map<std::string, std::string>{{"headers", R"({"x-tenant":"\"a\""})"},
                                                   {"header:X-Tenant", "\"a\""}});
  h.send({body, {{"Content-Type", "application/json"}}});
  CHECK(seen.empty());
}

TEST_CASE("server/discover says who we are, with caching hints") {
  Harness h({.instructions = "Be \"brief\"."});
  const std::string body = h.modern("server/discover").body;
  CHECK(at(body, "/result/supportedVersions") ==
        R"(["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"])");
  CHECK(at(body, "/result/capabilities/tools/listChanged") == "true");
  CHECK(at(body, "/result/instructions") == R"("Be \"brief\".")");
  CHECK(at(body, "/result/resultType") == "\"complete\"");
  CHECK(at(body, "/result/cacheScope") == "\"public\"");
  CHECK(at(body, "/result/ttlMs") == "0");
}

TEST_CASE("what plugins have to say comes behind the configured instructions, as it is now") {
  std::string said = "Use me last.";
  Harness h({.instructions = "Be brief.", .more_instructions = [&](const auto&) { return said; }});
  CHECK(at(h.modern("server/discover").body, "/result/instructions") == R"("Be brief.\n\nUse me last.")");
  said.clear();
  CHECK(at(h.modern("server/discover").body, "/result/instructions") == R"("Be brief.")");
}

TEST_CASE("tools are listed page by page, each once, in a stable order") {
  Harness h({.page_items = 2});
  for (const char* name : {"c", "a", "e", "b", "d"}) {
    h.add_tool(
        name, [](const registry::Call&, registry::Listener&) {}, "{\n\"description\" : \"x\" }");
  }
  std::string names;
  std::string cursor;
  int pages = 0;
  do {
    const std::string body = h.modern("tools/list", cursor.empty() ? "" : "\"cursor\":" + cursor + ",").body;
    CHECK(body.find('\n') == std::string::npos);
    for (int i = 0; i < 2; ++i) names += at(body, ("/result/tools/" + std::to_string(i) + "/name").c_str());
    CHECK(at(body, "/result/tools/0/inputSchema") == R"({"type":"object"})");
    cursor = at(body, "/result/nextCursor");
    ++pages;
  } while (!cursor.empty());
  CHECK(names == R"("a""b""c""d""e")");
  CHECK(pages == 3);
  for (const char* made_up : {"\"x\"", "\"eHh4\"", "5", "\"\""}) {
    CHECK(at(h.modern("tools/list", std::string("\"cursor\":") + made_up + ",").body, "/error/code") == "-32602");
  }
}
