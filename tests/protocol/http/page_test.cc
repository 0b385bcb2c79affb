// What a page in a browser sees of us (Fetch, CORS protocol).
#include "protocol/harness.h"
#include "protocol/http/discovery.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;

namespace {

constexpr const char* kPage = "https://app.example.org";
using Headers = std::vector<std::pair<std::string, std::string>>;

struct Visited : Harness {
  Visited() : Harness({}, rules()) { site.add(protocol::route_to(card)); }
  static protocol::AccessRules rules() {
    protocol::AccessRules rules;
    rules.allowed_origins = {kPage};
    rules.authenticator = test::known_by([](std::string_view token) { return test::named(token == "good" ? "alice" : ""); });
    return rules;
  }
  FakeReply& from_page(Post post, const std::string& origin = kPage, const std::string& token = "good") {
    post.headers.push_back({"Origin", origin});
    if (!token.empty()) post.headers.push_back({"Authorization", "Bearer " + token});
    return send(post);
  }

  const protocol::Document card{"/card", "text/plain", "card", "\"e\""};
};

const std::string kInitialize =
    R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})";
const Headers kJson = {{"Content-Type", "application/json"}};

Headers json_and(Headers more) {
  more.insert(more.begin(), kJson.begin(), kJson.end());
  return more;
}

}  // namespace

TEST_CASE("a page of an allowed origin can read every answer, refusals too, and no other page can") {
  Visited h;
  const std::string session = h.from_page({kInitialize, kJson}).headers["Mcp-Session-Id"];
  REQUIRE(session.size() == 32);
  struct Case {
    int status;
    Post post;
    std::string token = "good";
  };
  Post elsewhere{kInitialize, kJson};
  elsewhere.host = "evil.example.com";
  const Case cases[] = {
      {200, {kInitialize, kJson}},
      {202, {R"({"jsonrpc":"2.0","method":"notifications/initialized"})", json_and({{"Mcp-Session-Id", session}})}},
      {200, {"", {{"Accept", "text/event-stream"}, {"Mcp-Session-Id", session}}, "GET"}},
      {400, {"{", kJson}},
      {400, {kInitialize, json_and({{"Authorization", "Bearer other"}})}},
      {400, {"", {{"Mcp-Session-Id", session}, {"Last-Event-ID", "x"}, {"Accept", "text/event-stream"}}, "GET"}},
      {400, {"", {}, "DELETE"}},
      {401, {kInitialize, kJson}, ""},
      {401, {kInitialize, kJson}, "bad"},
      {403, elsewhere},
      {404, {kInitialize, kJson, "POST", "/nope"}},
      {404, {R"({"jsonrpc":"2.0","id":1,"method":"ping"})", json_and({{"Mcp-Session-Id", "none"}})}},
      {404, {"[]", json_and({{"Mcp-Session-Id", "none"}})}},
      {404, {"", {{"Mcp-Session-Id", "none"}, {"Accept", "text/event-stream"}}, "GET"}},
      {404, {"", {{"Mcp-Session-Id", "none"}}, "DELETE"}},
      {404, {kInitialize, kJson, "POST", "/sse?session=none"}},
      {405, {"", {}, "PUT"}},
      {405, {"", {{"Accept", "text/event-stream"}}, "GET"}},
      {405, {"", {}, "PUT", "/sse"}},
      {405, {"", {}, "OPTIONS"}},
      {406, {kInitialize, json_and({{"Accept", "text/html"}})}},
      {415, {kInitialize, {{"Content-Type", "text/plain"}}}},
      {415, {kInitialize, json_and({{"Content-Encoding", "gzip"}})}},
      {200, {"", {{"Accept", "text/event-stream"}}, "GET", "/sse"}},
      {204, {"", {{"Mcp-Session-Id", session}}, "DELETE"}},
  };
  for (const Case& c : cases) {
    INFO(c.status << " " << c.post.method << " " << c.post.path << " " << c.post.body);
    FakeReply& reply = h.from_page(c.post, kPage, c.token);
    CHECK(reply.status == c.status);
    CHECK(reply.headers["Access-Control-Allow-Origin"] == kPage);
    CHECK(reply.headers["Vary"] == "Origin");
    CHECK(reply.headers["Access-Control-Expose-Headers"] == "Mcp-Session-Id, WWW-Authenticate");
    if (c.status == 401) CHECK(reply.headers["WWW-Authenticate"].starts_with("Bearer"));
    FakeReply& stranger = h.from_page(c.post, "https://evil.example.org", c.token);
    CHECK(stranger.status == (c.status == 404 && c.post.path == "/nope" ? 404 : 403));
    CHECK_FALSE(stranger.headers.contains("Access-Control-Allow-Origin"));
  }
  for (FakeReply& reply : h.replies) {
    if (reply.streaming && !reply.ended) reply.leave();
  }
}

TEST_CASE("who comes from no page is told nothing for pages") {
  Visited h;
  FakeReply& reply = h.send({kInitialize, json_and({{"Authorization", "Bearer good"}})});
  CHECK(reply.status == 200);
  CHECK_FALSE(reply.headers.contains("Access-Control-Allow-Origin"));
  CHECK_FALSE(reply.headers.contains("Vary"));
}

TEST_CASE("an Origin that comes twice is one, or refused") {
  Visited h;
  const auto with = [&](const std::string& first, const std::string& second) -> FakeReply& {
    return h.from_page({kInitialize, json_and({{"Origin", first}})}, second);
  };
  CHECK(with(kPage, kPage).status == 200);
  CHECK(with(kPage, kPage).headers["Access-Control-Allow-Origin"] == kPage);
  CHECK(with(kPage, "http://localhost").status == 403);
  CHECK(with("https://evil.example.org", kPage).status == 403);
  CHECK(with(kPage, std::string(kPage) + ", " + kPage).headers["Access-Control-Allow-Origin"] == kPage);
  CHECK(with(kPage, std::string(kPage) + ", https://evil.example.org").status == 403);
}

TEST_CASE("a preflight is allowed what it asks for, and nothing else") {
  Visited h;
  const std::string path = GENERATE("/mcp", "/sse", "/card", "/nope");
  INFO(path);
  const auto ask = [&](Headers headers, const std::string& origin = kPage) -> FakeReply& {
    return h.from_page({"", std::move(headers), "OPTIONS", path}, origin, "");
  };
  FakeReply& least = ask({{"Access-Control-Request-Method", "POST"}});
  CHECK(least.status == 204);
  CHECK(least.headers["Access-Control-Allow-Origin"] == (path == "/card" ? "*" : kPage));
  CHECK(least.headers["Vary"] == "Origin");
  CHECK(least.headers["Access-Control-Allow-Methods"] == "POST");
  for (const char* unasked : {"Access-Control-Allow-Headers", "Access-Control-Allow-Private-Network",
                              "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers"}) {
    CHECK_FALSE(least.headers.contains(unasked));
  }
  FakeReply& most = ask({{"Access-Control-Request-Method", "DELETE"},
                         {"Access-Control-Request-Headers", "authorization,mcp-session-id"},
                         {"Access-Control-Request-Private-Network", "true"}});
  CHECK(most.headers["Access-Control-Allow-Methods"] == "DELETE");
  CHECK(most.headers["Access-Control-Allow-Headers"] == "authorization,mcp-session-id");
  CHECK(most.headers["Access-Control-Allow-Private-Network"] == "true");
  FakeReply& stranger = ask({{"Access-Control-Request-Method", "POST"}}, "https://evil.example.org");
  CHECK(stranger.status == (path == "/card" ? 204 : 403));
  CHECK(stranger.headers.contains("Access-Control-Allow-Origin") == (path == "/card"));
}

TEST_CASE("a slash behind the endpoint's path names it, too") {
  Harness h;
  const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  CHECK(h.send({ping, kJson, "POST", "/mcp/"}).status == 200);
  CHECK(h.send({ping, kJson, "POST", "/mcp//"}).status == 404);
  CHECK(h.send({ping, kJson, "POST", "/mcp/x"}).status == 404);
  CHECK(h.send({ping, kJson, "POST", "/mc/"}).status == 404);
  FakeReply& stream = h.send({"", {{"Accept", "text/event-stream"}}, "GET", "/sse/"});
  CHECK(stream.events.at(0).starts_with("?session="));
  CHECK(h.send({ping, kJson, "POST", "/sse/" + stream.events[0]}).status == 202);
  stream.leave();
}
