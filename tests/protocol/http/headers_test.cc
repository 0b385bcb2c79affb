// Headers and bodies that say the same, or do not (2026-07-28, streamable-http, Request Metadata).
#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

const std::string kMeta = R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                          R"("io.modelcontextprotocol/clientCapabilities":{}})";

struct Mirroring : Harness {
  Mirroring() {
    add_tool(
        "run", [this](const registry::Call&, registry::Listener&) { provider.end_with_text("ran"); },
        R"({"inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},)"
        R"("count":{"type":"integer","x-mcp-header":"Count"},"on":{"type":"boolean","x-mcp-header":"On"}}}})");
    add(registry::Kind::resource, "x:a,b", [this](const registry::Call&, registry::Listener&) {
      registry::Ending ending;
      ending.content = R"({"uri":"x:a,b","text":"read"})";
      provider.end(std::move(ending));
    });
  }

  // What a request with exactly these headers, besides its Content-Type, is answered.
  FakeReply& request(const std::string& method, const std::string& params, Headers headers) {
    headers.push_back({"Content-Type", "application/json"});
    return send({R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":{)" + params + kMeta + "}}",
                 std::move(headers)});
  }
  // Of a call of `run`: the error's code, or "ran".
  std::string call(const std::string& arguments, const Headers& more) {
    Headers headers = {{"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", "tools/call"}, {"Mcp-Name", "run"}};
    headers.insert(headers.end(), more.begin(), more.end());
    FakeReply& reply = request("tools/call", R"("name":"run","arguments":)" + arguments + ",", headers);
    const std::string code = at(reply.body, "/error/code");
    if (!code.empty()) CHECK(reply.status == 400);
    return code.empty() ? "ran" : code;
  }
};

}  // namespace

TEST_CASE("a header that comes twice passes where both say the same, and is refused where they differ") {
  Mirroring h;
  const auto [header, value, copy, outcome] = GENERATE(table<std::string, std::string, std::string, std::string>({
      {"MCP-Protocol-Version", "2026-07-28", "2026-07-28", "ran"},
      {"MCP-Protocol-Version", "2026-07-28", "2025-11-25", "-32020"},
      {"Mcp-Method", "tools/call", "tools/call", "ran"},
      {"Mcp-Method", "tools/call", "tools/list", "-32020"},
      {"Mcp-Name", "run", "run", "ran"},
      {"Mcp-Name", "run", "=?base64?cnVu?=", "ran"},
      {"Mcp-Name", "run", "walk", "-32020"},
      {"Mcp-Param-Count", "3", "3.0", "ran"},
      {"Mcp-Param-Count", "3", "4", "-32020"},
      {"Mcp-Param-On", "true", "true", "ran"},
      {"Mcp-Param-On", "true", "false", "-32020"},
      {"Origin", "http://localhost:1", "http://localhost:1", "ran"},
      {"mcp-session-id", "ignored", "in this era", "ran"},
  }));
  const auto outcome_of = [&](const Headers& twice) {
    Headers headers = {{"MCP-Protocol-Version", "2026-07-28"},
                       {"Mcp-Method", "tools/call"},
                       {"Mcp-Name", "run"},
                       {"Mcp-Param-Count", "3"},
                       {"Mcp-Param-On", "true"}};
    std::erase_if(headers, [&, name = header](const auto& field) { return field.first == name; });
    headers.insert(headers.end(), twice.begin(), twice.end());
    FakeReply& reply = h.request("tools/call", R"("name":"run","arguments":{"count":3,"on":true},)", headers);
    const std::string code = at(reply.body, "/error/code");
    return code.empty() ? "ran" : code;
  };
  INFO(header << ": " << value << " and " << copy);
  CHECK(outcome_of({{header, value}, {header, copy}}) == outcome);
  CHECK(outcome_of({{header, copy}, {header, value}}) == outcome);
  CHECK(outcome_of({{header, value + ", " + copy}}) == outcome);
}

TEST_CASE("a value that may have a comma is no list of copies") {
  Mirroring h;
  CHECK(h.call(R"({"region":"a, a"})", {{"Mcp-Param-Region", "a, a"}}) == "ran");
  CHECK(h.call(R"({"region":"a, a"})", {{"Mcp-Param-Region", "a, a"}, {"Mcp-Param-Region", "a, a"}}) == "ran");
  CHECK(h.call(R"({"region":"a"})", {{"Mcp-Param-Region", "a"}, {"Mcp-Param-Region", "a"}}) == "ran");
  CHECK(h.call(R"({"region":"a"})", {{"Mcp-Param-Region", "a, a"}}) == "-32020");
  CHECK(h.call(R"({"region":"a"})", {{"Mcp-Param-Region", "a"}, {"Mcp-Param-Region", "b"}}) == "-32020");
  CHECK(h.call(R"({"region":"é"})", {{"Mcp-Param-Region", "=?base64?w6k=?=, =?base64?w6k=?="}}) == "ran");
  const auto read = [&](const char* name) {
    return h
        .request("resources/read", R"("uri":"x:a,b",)",
                 {{"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", "resources/read"}, {"Mcp-Name", name}})
        .status;
  };
  CHECK(read("x:a,b") == 200);
  CHECK(read("x:a,b, x:a,b") == 400);
}

TEST_CASE("a header has no characters beyond ASCII, even if the body says the same") {
  Mirroring h;
  h.add(registry::Kind::resource, "x:café", [&](const registry::Call&, registry::Listener&) {
    registry::Ending ending;
    ending.content = R"({"uri":"x:caf","text":"read"})";
    h.provider.end(std::move(ending));
  });
  const auto read = [&](const char* name) -> FakeReply& {
    return h.request(
        "resources/read", R"("uri":"x:café",)",
        {{"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", "resources/read"}, {"Mcp-Name", name}});
  };
  CHECK(at(read("x:café").body, "/error/code") == "-32020");
  CHECK(read("x:café").status == 400);
  CHECK(read("=?base64?eDpjYWbDqQ==?=").status == 200);
}

TEST_CASE("numbers in headers are compared digit by digit") {
  Mirroring h;
  const auto [body, header, outcome] = GENERATE(table<std::string, std::string, std::string>({
      {"42", "42", "ran"},
      {"42", "42.0", "ran"},
      {"42.0", "42", "ran"},
      {"4.2e1", "42", "ran"},
      {"-0", "0", "ran"},
      {"9007199254740993", "9007199254740993", "ran"},
      {"9007199254740993", "9007199254740992", "-32020"},
      {"9007199254740993.0", "9007199254740992", "-32020"},
      {"18446744073709551617", "18446744073709551617", "ran"},
      {"18446744073709551617", "18446744073709551616", "-32020"},
      {"42", "0x2a", "-32020"},
      {"42", "042", "-32020"},
      {"42", "", "-32020"},
  }));
  INFO(body << " and " << header);
  CHECK(h.call(R"({"count":)" + body + "}", {{"Mcp-Param-Count", header}}) == outcome);
}

TEST_CASE("a header for something that the body lacks is a mismatch") {
  Mirroring h;
  const auto code = [&](const std::string& method, const std::string& params, const Headers& more) {
    Headers headers = {{"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", method}};
    headers.insert(headers.end(), more.begin(), more.end());
    return at(h.request(method, params, headers).body, "/error/code");
  };
  CHECK(code("tools/list", "", {}) == "");
  CHECK(code("tools/list", "", {{"Mcp-Name", "run"}}) == "-32020");
  CHECK(code("tools/call", "", {}) == "-32602");
  CHECK(code("tools/call", "", {{"Mcp-Name", "run"}}) == "-32020");
  CHECK(code("tools/call", R"("name":7,)", {{"Mcp-Name", "7"}}) == "-32020");
  CHECK(h.call("{}", {{"Mcp-Param-Count", "1"}}) == "-32020");
  CHECK(h.call(R"({"count":null})", {{"Mcp-Param-Count", "null"}}) == "-32020");
  CHECK(h.call("{}", {{"Mcp-Param-Other", "of no parameter of this tool"}}) == "ran");
}

TEST_CASE("what the headers of a notification say must be true, too") {
  Harness h;
  const auto status = [&](const Headers& more) {
    Headers headers = {{"Content-Type", "application/json"}, {"MCP-Protocol-Version", "2026-07-28"}};
    headers.insert(headers.end(), more.begin(), more.end());
    return h.send({R"({"jsonrpc":"2.0","method":"notifications/made/up","params":{)" + kMeta + "}}", headers})
        .status;
  };
  CHECK(status({}) == 202);
  CHECK(status({{"Mcp-Method", "notifications/made/up"}}) == 202);
  CHECK(status({{"Mcp-Method", "tools/call"}}) == 400);
  CHECK(status({{"MCP-Protocol-Version", "2025-11-25"}}) == 400);
}

TEST_CASE("a session is named by headers that agree") {
  Harness h;
  const std::string session = h.initialize();
  const std::string other = h.initialize();
  const auto with = [&](std::string method, const Headers& ids) -> FakeReply& {
    Post post{R"({"jsonrpc":"2.0","id":1,"method":"ping"})", ids, std::move(method)};
    post.headers.push_back({"Content-Type", "application/json"});
    return h.send(post);
  };
  const Headers differing = {{"Mcp-Session-Id", session}, {"Mcp-Session-Id", other}};
  const Headers agreeing = {{"Mcp-Session-Id", session}, {"Mcp-Session-Id", session}};
  CHECK(at(with("POST", differing).body, "/error/code") == "-32600");
  for (const char* method : {"POST", "GET", "DELETE"}) {
    INFO(method);
    CHECK(with(method, differing).status == 400);
    CHECK(with(method, {{"Mcp-Session-Id", session + "," + other}}).status == 400);
  }
  CHECK(with("POST", agreeing).status == 200);
  CHECK(with("POST", {{"Mcp-Session-Id", session + ", " + session}}).status == 200);
  CHECK(with("DELETE", agreeing).status == 204);
  CHECK(h.server.sessions().size() == 1);
}

TEST_CASE("a legacy version that comes twice is one") {
  Harness h;
  const auto ping = [&](const Headers& versions) -> FakeReply& {
    Post post{R"({"jsonrpc":"2.0","id":1,"method":"ping"})", versions};
    post.headers.push_back({"Content-Type", "application/json"});
    return h.send(post);
  };
  const std::string name = "MCP-Protocol-Version";
  CHECK(ping({{name, "2025-11-25"}, {name, "2025-11-25"}}).status == 200);
  CHECK(ping({{name, "2025-11-25, 2025-11-25"}}).status == 200);
  FakeReply& differing = ping({{name, "2025-11-25"}, {name, "2025-06-18"}});
  CHECK(differing.status == 400);
  CHECK(at(differing.body, "/error/code") == "-32020");
  CHECK(at(differing.body, "/id") == "1");
}

TEST_CASE("a stream or the end of a session is asked for in one version that is spoken") {
  Harness h;
  const std::string method = GENERATE("GET", "DELETE");
  const std::string session = h.initialize();
  const auto with = [&](Headers versions) -> FakeReply& {
    versions.insert(versions.end(), {{"Mcp-Session-Id", session}, {"Accept", "text/event-stream"}});
    return h.send({"", std::move(versions), method});
  };
  const std::string name = "MCP-Protocol-Version";
  FakeReply& unknown = with({{name, "1999-01-01"}});
  CHECK(unknown.status == 400);
  CHECK(at(unknown.body, "/error/code") == "-32022");
  CHECK(at(with({{name, "2025-11-25"}, {name, "2025-06-18"}}).body, "/error/code") == "-32020");
  CHECK(with({{name, "2025-11-25"}, {name, "2025-11-25"}}).status / 100 == 2);
}

TEST_CASE("who asks for a version that nobody speaks is told of all that we do, of both eras") {
  Harness h;
  const std::string all = R"(["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"])";
  FakeReply& legacy = h.send({R"({"jsonrpc":"2.0","id":1,"method":"ping"})",
                              {{"Content-Type", "application/json"}, {"MCP-Protocol-Version", "1999-01-01"}}});
  CHECK(legacy.status == 400);
  CHECK(at(legacy.body, "/error/code") == "-32022");
  CHECK(at(legacy.body, "/error/data/supported") == all);
  CHECK(at(legacy.body, "/error/data/requested") == "\"1999-01-01\"");
  CHECK(at(h.modern("server/discover").body, "/result/supportedVersions") == all);
}
