// Resources, prompts and completion, in both eras.
#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;
using registry::Kind;

namespace {

void end_with(Harness& h, std::string content, std::string fields = "") {
  registry::Ending ending;
  ending.content = std::move(content);
  ending.fields = std::move(fields);
  h.provider.end(std::move(ending));
}

std::string request(std::string method, std::string params) {
  return R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":{)" + params + "}}";
}

}  // namespace

TEST_CASE("a resource is read by its URI, or as one of a template") {
  Harness h;
  std::string seen;
  const auto read = [&](const registry::Call& call, registry::Listener&) {
    seen = std::string(call.name) + " " + std::string(call.variables.value_or("-"));
    CHECK(call.kind == registry::CallKind::resource);
    end_with(h, R"({"uri":"x:1","text":"t"})");
  };
  h.add(Kind::resource, "x:exact", read, R"({"name":"exact"})");
  h.add(Kind::resource_template, "x:{id}/data", read);
  const std::string body = h.modern("resources/read", R"("uri":"x:exact",)", "x:exact").body;
  CHECK(at(body, "/result/contents") == R"([{"uri":"x:1","text":"t"}])");
  CHECK(at(body, "/result/cacheScope") == "\"private\"");
  CHECK(at(body, "/result/resultType") == "\"complete\"");
  CHECK(seen == "x:exact -");
  h.legacy(request("resources/read", R"("uri":"x:7/data")"));
  CHECK(seen == R"(x:7/data {"id":"7"})");
  CHECK(at(h.modern("resources/list").body, "/result/resources/0") == R"({"uri":"x:exact","name":"exact"})");
  CHECK(at(h.modern("resources/templates/list").body, "/result/resourceTemplates/0") ==
        R"({"uriTemplate":"x:{id}/data","name":"x:{id}/data"})");
}

TEST_CASE("caching hints of the plugin stand") {
  Harness h;
  h.add(Kind::resource, "x:a", [&](const registry::Call&, registry::Listener&) {
    end_with(h, R"({"uri":"x:a","text":""})", R"("ttlMs":5,"cacheScope":"public")");
  });
  const std::string body = h.modern("resources/read", R"("uri":"x:a",)", "x:a").body;
  CHECK(at(body, "/result/ttlMs") == "5");
  CHECK(at(body, "/result/cacheScope") == "\"public\"");
}

TEST_CASE("an unknown resource is an error with its URI, of the era's code") {
  Harness h;
  const std::string modern = h.modern("resources/read", R"("uri":"x:none",)", "x:none").body;
  CHECK(at(modern, "/error/code") == "-32602");
  CHECK(at(modern, "/error/data") == R"({"uri":"x:none"})");
  CHECK(at(h.legacy(request("resources/read", R"("uri":"x:none")")).body, "/error/code") == "-32002");
  CHECK(at(h.legacy(request("resources/read", "")).body, "/error/code") == "-32602");
}

TEST_CASE("a prompt gets its arguments, and says what is missing") {
  Harness h;
  std::string seen;
  h.add(
      Kind::prompt, "ask",
      [&](const registry::Call& call, registry::Listener&) {
        seen = call.arguments.value_or("-");
        end_with(h, R"({"role":"user","content":{"type":"text","text":"x"}})", R"("description":"d")");
      },
      R"({"arguments":[{"name":"a","required":true},{"name":"b"}]})");
  const std::string body = h.modern("prompts/get", R"("name":"ask","arguments":{"a":"1"},)", "ask").body;
  CHECK(at(body, "/result/messages/0/role") == "\"user\"");
  CHECK(at(body, "/result/description") == "\"d\"");
  CHECK(seen == R"({"a":"1"})");
  CHECK(at(h.modern("prompts/list").body, "/result/prompts/0/name") == "\"ask\"");
  for (const char* wrong : {R"("name":"none",)", R"("name":"ask",)", R"("name":"ask","arguments":{"b":"1"},)",
                            R"("name":"ask","arguments":{"a":1},)", R"("name":"ask","arguments":[],)", ""}) {
    INFO(wrong);
    const std::string_view params = wrong;
    const char* name = params.empty() ? "" : params.find("none") == std::string_view::npos ? "ask" : "none";
    CHECK(at(h.modern("prompts/get", wrong, name).body, "/error/code") == "-32602");
  }
}

TEST_CASE("completion asks the prompt or template that the reference names") {
  Harness h;
  std::string seen;
  const auto complete = [&](const registry::Call& call, registry::Listener&) {
    CHECK(call.kind == registry::CallKind::complete);
    seen = *call.arguments;
    end_with(h, R"("one","two")", R"("total":2,"hasMore":false)");
  };
  h.add(Kind::prompt, "ask", complete);
  h.add(Kind::resource_template, "x:{id}", complete);
  const std::string argument = R"(,"argument":{"name":"a","value":"o"},)";
  const std::string body =
      h.modern("completion/complete", R"("ref":{"type":"ref/prompt","name":"ask"})" + argument).body;
  CHECK(at(body, "/result/completion") == R"({"values":["one","two"],"total":2,"hasMore":false})");
  CHECK(seen == R"({"argument":{"name":"a","value":"o"}})");
  h.modern("completion/complete",
           R"("ref":{"type":"ref/resource","uri":"x:{id}"},"context":{"arguments":{}})" + argument);
  CHECK(seen == R"({"argument":{"name":"a","value":"o"},"context":{"arguments":{}}})");
  for (const char* ref :
       {R"("ref":{"type":"ref/prompt","name":"none"})", R"("ref":{"type":"ref/tool","name":"ask"})",
        R"("ref":{"type":"ref/resource","uri":"x:1"})", R"("ref":{})"}) {
    CHECK(at(h.modern("completion/complete", ref + argument).body, "/error/code") == "-32602");
  }
}

TEST_CASE("parameters that are mirrored in headers must say what the body says") {
  Harness h;
  h.add_tool(
      "run", [&](const registry::Call&, registry::Listener&) { h.provider.end_with_text("ran"); },
      R"({"inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},)"
      R"("n":{"type":"object","properties":{"count":{"type":"integer","x-mcp-header":"Count"}}}}}})");
  const auto call = [&](std::string arguments, std::vector<std::pair<std::string, std::string>> headers) {
    Post post;
    post.headers = {{"Content-Type", "application/json"},
                    {"MCP-Protocol-Version", "2026-07-28"},
                    {"Mcp-Method", "tools/call"},
                    {"Mcp-Name", "run"}};
    post.headers.insert(post.headers.end(), headers.begin(), headers.end());
    post.body = request("tools/call", R"("name":"run","arguments":)" + arguments +
                                          R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                                          R"("io.modelcontextprotocol/clientCapabilities":{}})");
    FakeReply& reply = h.send(post);
    return reply.status == 200 ? "ran" : at(reply.body, "/error/code");
  };
  CHECK(call("{}", {}) == "ran");
  CHECK(call(R"({"region":"eu"})", {{"mcp-param-region", "eu"}}) == "ran");
  CHECK(call(R"({"region":"é"})", {{"Mcp-Param-Region", "=?base64?w6k=?="}}) == "ran");
  CHECK(call(R"({"n":{"count":42}})", {{"Mcp-Param-Count", "42.0"}}) == "ran");
  CHECK(call(R"({"region":"eu"})", {}) == "-32020");
  CHECK(call(R"({"region":"eu"})", {{"Mcp-Param-Region", "us"}}) == "-32020");
  CHECK(call(R"({"region":"é"})", {{"Mcp-Param-Region", "=?base64?w6k?="}}) == "-32020");
  CHECK(call(R"({"region":"é"})", {{"Mcp-Param-Region", "é"}}) == "-32020");
  CHECK(call(R"({"n":{"count":42}})", {{"Mcp-Param-Count", "43"}}) == "-32020");
  CHECK(call("{}", {{"Mcp-Param-Region", "eu"}}) == "-32020");
}

TEST_CASE("a client of an older revision is told in blocks that it knows") {
  const std::string blocks =
      R"({"type":"text","text":"t"},{"type":"resource_link","uri":"x:1","name":"n","description":"d"},)"
      R"({"type":"audio","mimeType":"audio/wav","data":"QUJD"})";
  const std::string text = R"({"type":"text","text":"t"})";
  const std::string link = R"({"type":"text","text":"n: d, x:1"})";
  const std::string sound =
      R"({"type":"resource","resource":{"uri":"collet:embedded","mimeType":"audio/wav","blob":"QUJD"}})";
  const std::string audio = R"({"type":"audio","mimeType":"audio/wav","data":"QUJD"})";
  Harness h;
  h.add(Kind::tool, "all", [&](const registry::Call&, registry::Listener&) { end_with(h, blocks); });
  h.add(Kind::prompt, "ask", [&](const registry::Call&, registry::Listener&) {
    end_with(h, R"({"role":"user","content":)" + audio + '}');
  });
  const auto content = [&](const std::string& version) {
    const std::string session = h.initialize(version);
    return at(h.legacy(request("tools/call", R"("name":"all")"), session).body, "/result/content");
  };
  CHECK(content("2025-11-25") == '[' + blocks + ']');
  CHECK(content("2025-06-18") == '[' + blocks + ']');
  CHECK(content("2025-03-26") == '[' + text + ',' + link + ',' + audio + ']');
  CHECK(content("2024-11-05") == '[' + text + ',' + link + ',' + sound + ']');
  const std::string old = h.initialize("2024-11-05");
  CHECK(at(h.legacy(request("prompts/get", R"("name":"ask")"), old).body, "/result/messages") ==
        R"([{"role":"user","content":)" + sound + "}]");
}

TEST_CASE("a client is given a hundred values of a completion, and told that there are more") {
  Harness h;
  std::string fields;
  std::size_t count = 0;
  h.add(Kind::prompt, "ask", [&](const registry::Call&, registry::Listener&) {
    std::string values;
    for (std::size_t i = 0; i < count; ++i) values += (i ? ",\"" : "\"") + std::to_string(i) + '"';
    end_with(h, values, fields);
  });
  const auto complete = [&](std::size_t values, std::string with = "") {
    count = values;
    fields = std::move(with);
    return h
        .modern("completion/complete",
                R"("ref":{"type":"ref/prompt","name":"ask"},"argument":{"name":"a","value":""},)")
        .body;
  };
  const std::string most = complete(100);
  CHECK(at(most, "/result/completion/values/99") == "\"99\"");
  CHECK(at(most, "/result/completion/hasMore") == "");
  for (const std::string& body : {complete(101), complete(101, R"("hasMore":false,"total":3)"),
                                  complete(101, R"("hasMore":"x","total":null)")}) {
    CHECK(at(body, "/result/completion/values/99") == "\"99\"");
    CHECK(at(body, "/result/completion/values/100") == "");
    CHECK(at(body, "/result/completion/hasMore") == "true");
    CHECK(at(body, "/result/completion/total") == "101");
  }
  CHECK(at(complete(150, R"("total":2000)"), "/result/completion/total") == "2000");
  CHECK(at(complete(1, R"("hasMore":true,"x":1)"), "/result/completion") ==
        R"({"values":["0"],"hasMore":true,"x":1})");
  CHECK(at(complete(1, R"("hasMore":null,"total":"y")"), "/result/completion") == R"({"values":["0"]})");
}

TEST_CASE("what nobody completes has no values, and that is no error") {
  Harness h;
  h.add(Kind::prompt, "ask", [&](const registry::Call&, registry::Listener&) {
    registry::Ending ending;
    ending.how = registry::Ending::How::failed;
    ending.rpc_code = -32601;  // as a remote without completions says it
    h.provider.end(std::move(ending));
  });
  h.add(Kind::resource, "x:1", [&](const registry::Call&, registry::Listener&) { FAIL("a resource has nothing"); });
  for (const char* ref : {R"({"type":"ref/prompt","name":"ask"})", R"({"type":"ref/resource","uri":"x:1"})"}) {
    const std::string params = R"("ref":)" + std::string(ref) + R"(,"argument":{"name":"a","value":""})";
    CHECK(at(h.modern("completion/complete", params + ",").body, "/result/completion") == R"({"values":[]})");
    CHECK(at(h.legacy(request("completion/complete", params)).body, "/result/completion") == R"({"values":[]})");
  }
}

TEST_CASE("structured content that is no object is for those who know it, and is text to others") {
  Harness h;
  std::string content, structured;
  h.add(Kind::tool, "list", [&](const registry::Call&, registry::Listener&) {
    registry::Ending ending;
    ending.content = content;
    ending.structured = structured;
    h.provider.end(std::move(ending));
  });
  const auto result = [&](const std::string& version, const char* member) {
    return at(h.legacy(request("tools/call", R"("name":"list")"), h.initialize(version)).body, member);
  };
  for (const char* some : {"[1,2]", "\"text\"", "null", " 5"}) {
    structured = some;
    content = R"({"type":"text","text":"t"})";
    CHECK(at(h.modern("tools/call", R"("name":"list",)", "list").body, "/result/structuredContent") ==
          structured.substr(structured.find_first_not_of(' ')));
    for (const char* version : {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}) {
      CHECK(result(version, "/result/structuredContent") == "");
      CHECK(result(version, "/result/content") == "[" + content + "]");
    }
  }
  content.clear();
  structured = "[1,2]";
  CHECK(result("2025-06-18", "/result/content") == R"([{"type":"text","text":"[1,2]"}])");
  structured = R"( {"a":1})";
  CHECK(result("2025-06-18", "/result/structuredContent") == R"({"a":1})");
}

TEST_CASE("a definition has what an older revision forbids for the modern era alone") {
  Harness h;
  const auto none = [](const registry::Call&, registry::Listener&) {};
  h.add_tool("a", none, R"({"description":"first"})");
  h.add_tool("array", none, R"({"inputSchema":{"type":"object"},"outputSchema":{"type":"array"},"x":[1.50]})");
  h.add_tool("object", none, R"({"outputSchema":{"type":"object","properties":{"b":true}}})");
  h.add_tool("open", none, R"({"inputSchema":{"type":"object","properties":{"a":true,"b":false,"c":{}}}})");
  const std::string modern = h.modern("tools/list").body;
  CHECK(at(modern, "/result/tools/1/outputSchema") == R"({"type":"array"})");
  CHECK(at(modern, "/result/tools/3/inputSchema/properties") == R"({"a":true,"b":false,"c":{}})");
  const std::string legacy = h.legacy(request("tools/list", ""), h.initialize("2025-11-25")).body;
  CHECK(at(legacy, "/result/tools/0") == at(modern, "/result/tools/0"));
  CHECK(at(legacy, "/result/tools/1/outputSchema") == "");
  CHECK(at(legacy, "/result/tools/1/x") == "[1.5]");
  CHECK(at(legacy, "/result/tools/2/outputSchema") == R"({"type":"object","properties":{"b":{}}})");
  CHECK(at(legacy, "/result/tools/3/inputSchema/properties") == R"({"a":{},"b":{"not":{}},"c":{}})");
}

TEST_CASE("a resource and a template are found in whatever way a client spells them") {
  Harness h;
  std::string seen;
  const auto read = [&](const registry::Call& call, registry::Listener&) {
    seen = std::string(call.name) + " " + std::string(call.variables.value_or("-"));
    if (call.kind == registry::CallKind::complete) return end_with(h, R"("v")");
    end_with(h, R"({"uri":"x:1","text":"t"})");
  };
  h.add(Kind::resource, "http://example.com", read);
  h.add(Kind::resource, "notes://caf\u00e9/a%7Eb", read);
  h.add(Kind::resource_template, "file:///docs/caf\u00e9/{name}", read);
  h.add(Kind::resource_template, "Search://Find/all{?q,lang}", read);
  const auto reads = [&](const std::string& uri) {
    seen = "not found";
    h.legacy(request("resources/read", R"("uri":")" + uri + '"'));
    return seen;
  };
  const std::string cafe = "notes://caf\u00e9/a%7Eb -";
  CHECK(reads("notes://caf%C3%A9/a~b") == cafe);
  CHECK(reads("NOTES://caf%c3%a9/a%7eb") == cafe);
  CHECK(reads("notes://caf%C3%A9/A~b") == "not found");
  CHECK(reads("HTTP://Example.COM:80/") == "http://example.com -");
  CHECK(reads("https://example.com/") == "not found");
  for (const std::string uri :
       {"file:///docs/caf\u00e9/a%20b", "file:///docs/caf%C3%A9/a%20b", "FILE:///docs/caf%c3%a9/a%20b"}) {
    CHECK(reads(uri) == uri + R"( {"name":"a b"})");
  }
  CHECK(reads("search://find/all?lang=de&q=caf%C3%A9") ==
        "search://find/all?lang=de&q=caf%C3%A9 {\"lang\":\"de\",\"q\":\"caf\u00e9\"}");
  h.legacy(request("completion/complete", R"("ref":{"type":"ref/resource","uri":"file:///docs/caf%C3%A9/{name}"},)"
                                          R"("argument":{"name":"name","value":""})"));
  CHECK(seen == "file:///docs/caf\u00e9/{name} -");
}
