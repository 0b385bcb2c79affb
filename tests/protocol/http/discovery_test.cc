#include "protocol/http/discovery.h"

#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

struct Discoverable : Harness {
  explicit Discoverable(protocol::AccessRules rules = {}) : Harness({}, std::move(rules)) {
    for (const protocol::Document& document : documents) site.add(protocol::route_to(document));
  }
  FakeReply& get(std::string path, std::vector<std::pair<std::string, std::string>> headers = {}) {
    return send({"", std::move(headers), "GET", std::move(path)});
  }

  const std::vector<protocol::Document> documents = protocol::discovery_documents(
      {"org.example/weather", "The \"weather\"", "What it will be", "9.9", "https://mcp.example.org"}, "/mcp");
};

}  // namespace

TEST_CASE("the server card says who we are and how to connect") {
  Discoverable h;
  FakeReply& card = h.get("/mcp/server-card");
  CHECK(card.status == 200);
  CHECK(card.headers["Content-Type"] == "application/mcp-server-card+json");
  CHECK(card.headers["Access-Control-Allow-Origin"] == "*");
  CHECK(at(card.body, "/$schema") ==
        "\"https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json\"");
  CHECK(at(card.body, "/name") == "\"org.example/weather\"");
  CHECK(at(card.body, "/version") == "\"9.9\"");
  CHECK(at(card.body, "/description") == "\"What it will be\"");
  CHECK(at(card.body, "/title") == "\"The \\\"weather\\\"\"");
  CHECK(at(card.body, "/remotes/0/type") == "\"streamable-http\"");
  CHECK(at(card.body, "/remotes/0/url") == "\"https://mcp.example.org/mcp\"");
  CHECK(at(card.body, "/remotes/0/supportedProtocolVersions/0") == "\"2026-07-28\"");
}

TEST_CASE("the catalog leads to the card") {
  Discoverable h;
  FakeReply& catalog = h.get("/.well-known/ai-catalog.json");
  CHECK(catalog.headers["Content-Type"] == "application/ai-catalog+json");
  CHECK(at(catalog.body, "/entries/0/identifier") == "\"urn:air:example.org:mcp:weather\"");
  CHECK(at(catalog.body, "/entries/0/type") == "\"application/mcp-server-card+json\"");
  CHECK(at(catalog.body, "/entries/0/url") == "\"https://mcp.example.org/mcp/server-card\"");
}

TEST_CASE("a document that has not changed is not sent again") {
  Discoverable h;
  const std::string etag = h.get("/mcp/server-card").headers["ETag"];
  CHECK(h.get("/mcp/server-card", {{"If-None-Match", etag}}).status == 304);
  CHECK(h.get("/mcp/server-card", {{"If-None-Match", "\"other\""}}).status == 200);
  CHECK(h.send({"", {}, "POST", "/mcp/server-card"}).status == 405);
}

TEST_CASE("documents need no token, but the right Host") {
  protocol::AccessRules rules;
  rules.authenticator = test::known_by([](std::string_view) { return registry::PrincipalPtr(); });
  Discoverable h(rules);
  CHECK(h.get("/mcp/server-card").status == 200);
  Post post{"", {}, "GET", "/mcp/server-card"};
  post.host = "evil.example.com";
  CHECK(h.send(post).status == 403);
}

TEST_CASE("without a card there are no documents") {
  Harness h;
  CHECK(h.send({"", {}, "GET", "/mcp/server-card"}).status == 404);
  CHECK(h.send({"", {}, "GET", "/.well-known/ai-catalog.json"}).status == 404);
}
