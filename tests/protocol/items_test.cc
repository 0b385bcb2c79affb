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
    const char* name = std::string_view(wrong).find("none") == std::string_view::npos ? "ask" : "none";
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
