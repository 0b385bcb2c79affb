// What plugins serve over HTTP: which route answers, for whom, and what becomes of the answer.
#include "protocol/http/plugin_routes.h"

#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;
using registry::Call;
using registry::Kind;
using registry::Listener;

namespace {

struct Site : Harness {
  explicit Site(protocol::AccessRules rules = {}, protocol::ServerOptions options = {})
      : Harness(std::move(options), std::move(rules)) {
    site.add(protocol::plugin_routes(server.at(0)));
  }

  // A route that answers at once, with its name and the path it was asked for.
  void serve(const std::string& name, std::string definition = "{}") {
    add(Kind::route, name, [this, name](const Call& call, Listener& listener) {
      seen = call.web;
      listener.on_answer_head({200, {{"Content-Type", "text/plain"}}});
      std::string body = name + " " + std::string(call.name);
      listener.on_answer_bytes(body);
      provider.end({});
    }, std::move(definition));
  }
  // A route that leaves the answer to the test.
  void open(const std::string& name, std::uint32_t timeout_ms = 0, std::string definition = "{}") {
    add(Kind::route, name, [this](const Call& call, Listener&) { seen = call.web; }, std::move(definition), {}, timeout_ms);
  }
  // A request to a route that takes bodies as they come; its body is still to come.
  FakeReply& begin_upload(std::string path) { return send({.body = "", .method = "PUT", .path = std::move(path), .body_follows = true}); }
  FakeReply& get(std::string path, std::string method = "GET", std::vector<std::pair<std::string, std::string>> headers = {},
                 std::string body = "") {
    return send({std::move(body), std::move(headers), std::move(method), std::move(path)});
  }
  Listener& running() { return *provider.waiting.begin()->second; }
  void say(std::string bytes) {
    running().on_answer_bytes(bytes);
    turn();
  }

  registry::WebRequestPtr seen;
};

registry::Ending failed(int code, std::string message) {
  registry::Ending ending;
  ending.how = registry::Ending::How::failed;
  ending.rpc_code = code;
  ending.message = std::move(message);
  return ending;
}

}  // namespace

TEST_CASE("the route of that path answers, else the longest one that it is below") {
  Site h;
  for (const char* name : {"/", "/a", "/a/*", "/a/b/*", "/c/"}) h.serve(name);
  for (const auto& [path, body] : std::map<std::string, std::string>{{"/", "/ /"},
                                                                     {"/a", "/a /a"},
                                                                     {"/a/", "/a/* /a/"},
                                                                     {"/a/x/y", "/a/* /a/x/y"},
                                                                     {"/a/b", "/a/* /a/b"},
                                                                     {"/a/b/c%20d", "/a/b/* /a/b/c%20d"},
                                                                     {"/%61/%7eb", "/a/* /a/~b"},
                                                                     {"/c/", "/c/ /c/"}}) {
    INFO(path);
    FakeReply& reply = h.get("/plugins/fake" + path);
    CHECK(reply.status == 200);
    CHECK(reply.body == body);
    CHECK(reply.headers["X-Content-Type-Options"] == "nosniff");
  }
  for (const char* path : {"/b", "/c", "/c/d"}) CHECK(h.get("/plugins/fake" + std::string(path)).status == 404);
  for (const char* path : {"/plugins", "/plugins/", "/plugins/other/", "/plugins/other", "/plugins/fakes/a"}) {
    INFO(path);
    CHECK(h.get(path).status == 404);
  }
}

TEST_CASE("a path that would lead elsewhere is refused before a plugin sees it") {
  Site h;
  h.serve("/*");
  for (const char* path : {"/../x", "/a/..", "/%2e%2E/x", "/a%2f..%2fx", "//", "/a//b", "/.", "/a%5cb", "/a%00b", "/a[b"}) {
    INFO(path);
    CHECK(h.get("/plugins/fake" + std::string(path)).status == 400);
  }
  std::string deep = "/plugins/fake";
  while (std::ranges::count(deep, '/') < limits::kRouteSegmentsMax) deep += "/a";
  CHECK(h.get(deep).status == 200);
  CHECK(h.get(deep + "/a").status == 404);
}

TEST_CASE("a plugin's folder without its slash leads there, so that relative links work") {
  Site h;
  CHECK(h.get("/plugins/fake").status == 404);
  h.serve("/");
  FakeReply& reply = h.get("/plugins/fake?a=b");
  CHECK(reply.status == 308);
  CHECK(reply.headers["Location"] == "fake/?a=b");
}

TEST_CASE("a route takes its methods, HEAD with GET, and no other") {
  Site h;
  h.serve("/get");
  h.serve("/post", R"({"methods":["POST"]})");
  CHECK(h.get("/plugins/fake/get", "HEAD").status == 200);
  FakeReply& refused = h.get("/plugins/fake/get", "POST");
  CHECK(refused.status == 405);
  CHECK(refused.headers["Allow"] == "GET, HEAD");
  CHECK(h.get("/plugins/fake/post", "POST").status == 200);
  CHECK(h.get("/plugins/fake/post", "HEAD").status == 405);
}

TEST_CASE("a plugin is told what is asked, but not what the host asks for itself") {
  Site h;
  h.serve("/x", R"({"methods":["PUT"]})");
  h.get("/plugins/fake/x?q=1&r", "PUT", {{"X-Test", "1"}, {"authorization", "Bearer s"}, {"Connection", "close, X-Hop"}, {"x-hop", "1"}, {"Cookie", "c"}}, "body");
  REQUIRE(h.seen);
  CHECK(h.seen->method == "PUT");
  CHECK(h.seen->query == "q=1&r");
  CHECK(h.seen->body == "body");
  std::string names;
  for (const auto& field : h.seen->fields) names += field.name + " ";
  CHECK(names == "X-Test Cookie Host ");
}

TEST_CASE("a route is for those who may come, and whose view shows it") {
  protocol::AccessRules rules;
  rules.authenticator = test::known_by([](std::string_view token) -> registry::PrincipalPtr {
    registry::Principal principal{.id = std::string(token), .kind = registry::Principal::Kind::token};
    if (token == "half") principal.view = std::make_shared<registry::View>(registry::ViewRules{.allow = {}, .deny = {"route:/plugins/fake/admin*", "route:/plugins/fake/a:b"}, .unlisted = {}});
    if (token == "tools") principal.view = std::make_shared<registry::View>(registry::ViewRules{.allow = {"tool:*"}, .deny = {}, .unlisted = {}});
    return std::make_shared<registry::Principal>(std::move(principal));
  });
  Site h(std::move(rules));
  h.serve("/admin");
  h.serve("/*");
  const auto status = [&](const char* path, const char* token) {
    return h.get(path, "GET", {{"Authorization", std::string("Bearer ") + token}}).status;
  };
  CHECK(h.get("/plugins/fake/admin").status == 401);
  CHECK(status("/plugins/fake/admin", "all") == 200);
  CHECK(status("/plugins/fake/admin", "half") == 404);
  CHECK(status("/plugins/fake/%61dmin", "half") == 404);
  CHECK(status("/plugins/fake/admin/below", "half") == 404);  // as it is by the route with *
  CHECK(status("/plugins/fake/other", "half") == 200);
  CHECK(status("/plugins/fake/a%3Ab", "half") == 404);
  CHECK(status("/plugins/fake/a:b", "half") == 404);
  CHECK(status("/plugins/fake/other", "tools") == 404);
  CHECK(h.get("/plugins/fake/other", "GET", {{"Authorization", "Bearer tools"}}).body == h.get("/plugins/nobody/other", "GET", {{"Authorization", "Bearer tools"}}).body);
  Post elsewhere{"", {{"Authorization", "Bearer all"}, {"Origin", "https://evil.example"}}, "GET", "/plugins/fake/admin"};
  CHECK(h.send(elsewhere).status == 403);
}

TEST_CASE("an answer that is said at once is whole; one that goes on is sent in pieces") {
  Site h;
  h.open("/x");
  FakeReply& reply = h.get("/plugins/fake/x");
  h.running().on_answer_head({201, {{"X-A", "1"}}});
  h.turn();
  CHECK(reply.streaming);
  CHECK(reply.status == 201);
  h.say("one ");
  h.say("two");
  CHECK(reply.body == "one two");
  CHECK(h.provider.bytes_taken == 7);
  std::string last = ", three";
  h.running().on_answer_bytes(last);
  h.provider.end({});
  CHECK(reply.body == "one two, three");
  CHECK(reply.ended);
  CHECK_FALSE(reply.aborted);

  FakeReply& whole = h.get("/plugins/fake/x");
  std::string all = "all";
  h.running().on_answer_head({200, {}});
  h.running().on_answer_bytes(all);
  h.provider.end({});
  h.turn();
  CHECK_FALSE(whole.streaming);
  CHECK(whole.body == "all");
}

TEST_CASE("an answer without a body is there at once, whatever is written") {
  Site h;
  h.open("/x");
  for (const int status : {204, 304}) {
    FakeReply& reply = h.get("/plugins/fake/x");
    h.running().on_answer_head({status, {}});
    h.turn();
    CHECK(reply.status == status);
    CHECK(reply.ended);
    h.provider.bytes_taken = 0;
    h.say("nothing");
    CHECK(h.provider.bytes_taken == 7);
    CHECK(reply.body.empty());
    h.provider.end({});
  }
}

TEST_CASE("of an answer that goes on, HEAD has the head, and the plugin is told that nobody reads on") {
  Site h;
  h.open("/x");
  FakeReply& reply = h.get("/plugins/fake/x", "HEAD");
  h.running().on_answer_head({200, {{"Content-Type", "text/event-stream"}}});
  h.turn();
  CHECK(reply.streaming);
  CHECK(reply.ended);
  CHECK(h.provider.cancelled == std::vector{registry::CancelReason::client});
  h.provider.end({});
}

TEST_CASE("an event stream that ends at once is one nevertheless") {
  Site h;
  h.open("/x");
  FakeReply& reply = h.get("/plugins/fake/x");
  std::string event = "data: 1\n\n";
  h.running().on_answer_head({200, {{"Content-Type", "text/event-stream"}}});
  h.running().on_answer_bytes(event);
  h.provider.end({});
  CHECK(reply.streaming);
  CHECK(reply.body == "data: 1\n\n");
  CHECK(reply.ended);
  FakeReply& other = h.get("/plugins/fake/x");
  h.running().on_answer_head({200, {{"Content-Type", "text/event-streaming"}}});
  h.provider.end({});
  CHECK_FALSE(other.streaming);
  CHECK(other.headers["Content-Type"] == "text/event-streaming");
}

TEST_CASE("when streams are to end a plugin hears of it, and of one that begins only then; a download goes on") {
  Site h;
  h.open("/x");
  h.get("/plugins/fake/x");
  Listener& stream = h.running();
  h.get("/plugins/fake/x");
  Listener& download = *h.provider.waiting.rbegin()->second;
  stream.on_answer_head({200, {{"Content-Type", "text/event-stream"}}});
  download.on_answer_head({200, {{"Content-Type", "text/plain"}}});
  h.turn();
  h.server.at(0).end_streams();
  CHECK(h.provider.cancelled == std::vector{registry::CancelReason::shutdown});
  h.get("/plugins/fake/x");
  h.provider.waiting.rbegin()->second->on_answer_head({200, {{"Content-Type", "text/event-stream"}}});
  h.turn();
  CHECK(h.provider.cancelled.size() == 2);
  while (!h.provider.waiting.empty()) h.provider.end({});
}

TEST_CASE("a page of another site can lead to a route, and have nothing got from it in passing") {
  Site h;
  h.serve("/x");
  const auto status = [&](std::string site, std::string mode) {
    return h.get("/plugins/fake/x", "GET", {{"Sec-Fetch-Site", site}, {"Sec-Fetch-Mode", mode}}).status;
  };
  CHECK(status("cross-site", "no-cors") == 403);
  CHECK(status("cross-site", "navigate") == 200);
  CHECK(status("same-origin", "no-cors") == 200);
  CHECK(status("none", "navigate") == 200);
  CHECK(h.get("/plugins/fake/x", "GET", {{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "cors"}, {"Origin", "http://localhost:3000"}}).status == 200);
}

TEST_CASE("an observer hears of a route's call by the path that was asked for") {
  struct Observer final : registry::CallObserver {
    void on_call_begun(const registry::CallFacts& facts) override { heard.push_back(std::string(facts.name)); }
    void on_call_ended(const registry::CallFacts&, const registry::CallEnd& end) override { heard.push_back(std::to_string(end.bytes)); }
    std::vector<std::string> heard;
  } observer;
  Site h;
  h.registry.observe(observer);
  h.serve("/a/*");
  h.get("/plugins/fake/a/b");
  CHECK(observer.heard == std::vector<std::string>{"/plugins/fake/a/b", "9"});
}

TEST_CASE("an event stream begins at once, as one of the host's") {
  Site h;
  h.open("/x");
  FakeReply& reply = h.get("/plugins/fake/x", "GET", {{"Origin", "http://localhost:3000"}});
  h.running().on_answer_head({200, {{"content-type", "text/event-stream; charset=utf-8"}, {"X-A", "1"}}});
  h.turn();
  CHECK(reply.streaming);
  CHECK(reply.headers.count("content-type") == 0);  // the transport says it
  CHECK(reply.headers["X-A"] == "1");
  CHECK(reply.headers["Access-Control-Allow-Origin"] == "http://localhost:3000");
  h.provider.end({});
}

TEST_CASE("a plugin that fails is a server error, a mistake of the client's is one of its own") {
  Site h;
  h.open("/x");
  FakeReply& broken = h.get("/plugins/fake/x");
  h.provider.end(failed(mcp::kInternalError, "it broke"));
  CHECK(broken.status == 500);
  CHECK(broken.body == "it broke\n");
  FakeReply& wrong = h.get("/plugins/fake/x");
  h.provider.end(failed(mcp::kInvalidParams, "no such page"));
  CHECK(wrong.status == 400);
  FakeReply& silent = h.get("/plugins/fake/x");
  h.provider.end({});
  CHECK(silent.status == 500);
  FakeReply& half = h.get("/plugins/fake/x");
  h.running().on_answer_head({200, {}});
  h.say("half");
  h.provider.end(failed(mcp::kInternalError, "it broke"));
  CHECK(half.aborted);
}

TEST_CASE("a client that leaves has its call cancelled; what is still said is taken as read") {
  Site h;
  h.open("/x");
  FakeReply& reply = h.get("/plugins/fake/x");
  h.running().on_answer_head({200, {}});
  h.say("some");
  reply.waiting = limits::kStreamAheadBytes;
  h.say("more");
  CHECK(h.provider.bytes_taken == 4);
  reply.leave();
  CHECK(h.provider.cancelled == std::vector{registry::CancelReason::client});
  CHECK(h.provider.bytes_taken == 8);
  h.say("and more");
  CHECK(h.provider.bytes_taken == 16);
  h.provider.end({});
}

TEST_CASE("a plugin writes as far ahead as its client reads") {
  Site h;
  h.open("/x");
  FakeReply& reply = h.get("/plugins/fake/x");
  h.running().on_answer_head({200, {}});
  h.turn();
  reply.waiting = limits::kStreamAheadBytes;
  h.say("waits");
  CHECK(h.provider.bytes_taken == 0);
  reply.waiting = 0;
  reply.observer->on_sent();
  CHECK(h.provider.bytes_taken == 5);
  h.provider.end({});
}

TEST_CASE("the deadline is for the beginning of an answer") {
  Site h;
  h.open("/x", 1);
  FakeReply& late = h.get("/plugins/fake/x");
  while (late.status == 0) h.turn();
  CHECK(late.status == 504);
  CHECK(h.provider.cancelled == std::vector{registry::CancelReason::deadline});
  h.provider.end({});

  h.open("/y", 30'000);
  FakeReply& begun = h.get("/plugins/fake/y");
  h.running().on_answer_head({200, {}});
  h.say("x");
  CHECK(begun.streaming);
  h.server.at(0).cancel_calls(registry::CancelReason::shutdown);
  CHECK(h.provider.cancelled.back() == registry::CancelReason::shutdown);
  h.provider.end({});
}

TEST_CASE("a route says whether bodies follow its requests, and how large they may be; others take them whole") {
  Site h;
  h.serve("/whole", R"({"methods":["PUT"],"streamed":false})");
  h.serve("/most", R"({"methods":["PUT"],"streamed":true})");
  h.serve("/some/*", R"({"methods":["PUT"],"streamed":true,"bodyBytesMax":1000})");
  protocol::Route route = protocol::plugin_routes(h.server.at(0));
  const auto streams = [&](std::string_view path) {
    transport::HttpRequest header;
    header.path = path;
    return route.streams(header, nullptr);
  };
  CHECK(streams("/plugins/fake/whole") == 0);
  CHECK(streams("/plugins/fake/most") == std::numeric_limits<std::size_t>::max());
  CHECK(streams("/plugins/fake/some/x") == 1000);
  CHECK(streams("/plugins/fake/%73ome/x") == 1000);
  for (const char* path : {"/plugins/fake/other", "/plugins/fake/../most", "/plugins/fake", "/plugins/"}) CHECK(streams(path) == 0);

  CHECK(h.get("/plugins/fake/some/x", "PUT", {}, std::string(1000, 'x')).status == 200);
  CHECK(h.seen->is_streamed);
  CHECK(h.seen->is_whole);
  CHECK(h.seen->body.size() == 1000);
  CHECK(h.get("/plugins/fake/some/x", "PUT", {}, std::string(1001, 'x')).status == 413);
  CHECK(h.get("/plugins/fake/whole", "PUT", {}, std::string(1001, 'x')).status == 200);
  CHECK_FALSE(h.seen->is_streamed);
}

TEST_CASE("whether a body is to follow is said by the site before that is read, to those who may come") {
  protocol::AccessRules rules;
  rules.authenticator = test::known_by([](std::string_view) -> registry::PrincipalPtr {
    return std::make_shared<registry::Principal>(registry::Principal{.id = "a", .kind = registry::Principal::Kind::token});
  });
  Site h(std::move(rules));
  h.serve("/x", R"({"methods":["PUT"],"streamed":true,"bodyBytesMax":7})");
  const auto asked = [&](const char* path, const char* token) {
    const transport::Header headers[] = {{"Host", "127.0.0.1:8765"}, {"Authorization", token}};
    transport::HttpRequest header;
    header.method = "PUT";
    header.path = path;
    header.host = "127.0.0.1:8765";
    header.headers = headers;
    transport::HttpSender sender{"somewhere"};
    FakeReply& reply = h.replies.emplace_back();
    const void* known = nullptr;
    reply.give_again = [&known](const void* verdict) { known = verdict; };
    bool refused = h.site.refuses(header, reply, sender);
    if (reply.held) {
      h.turn();
      header.known = known;
      refused = h.site.refuses(header, reply, sender);
    }
    return std::pair(refused, sender.streamed_bytes_max);
  };
  CHECK(asked("/plugins/fake/x", "Bearer a") == std::pair(false, std::size_t{7}));
  CHECK(asked("/plugins/fake/x", "Basic a") == std::pair(true, std::size_t{0}));
  CHECK(asked("/plugins/fake/y", "Bearer a") == std::pair(false, std::size_t{0}));
  CHECK(asked("/mcp", "Bearer a") == std::pair(false, std::size_t{0}));
}

TEST_CASE("a body that follows goes on to its plugin, and what that has taken back to its connection") {
  Site h;
  h.open("/x", 0, R"({"methods":["PUT"],"streamed":true})");
  FakeReply& reply = h.begin_upload("/plugins/fake/x");
  CHECK(h.seen->is_streamed);
  CHECK_FALSE(h.seen->is_whole);
  reply.observer->on_body("some", false);
  h.running().on_body_taken(0);
  h.running().on_body_taken(4);
  CHECK(reply.bodies_taken == std::vector<std::size_t>{0, 4});
  CHECK_FALSE(h.provider.body_is_whole);
  reply.observer->on_body(" more", true);
  CHECK(h.provider.streamed == "some more");
  CHECK(h.provider.body_is_whole);
  h.running().on_answer_head({200, {}});
  h.provider.end({});
  CHECK(reply.status == 200);
  CHECK(h.provider.cancelled.empty());
}

TEST_CASE("a body that cannot come any more is answered, or cuts the answer, and its call is cancelled") {
  Site h;
  h.open("/x", 0, R"({"methods":["PUT"],"streamed":true})");
  FakeReply& refused = h.begin_upload("/plugins/fake/x");
  refused.observer->on_body("some", false);
  refused.observer->on_body_failed(413, "too much");
  CHECK(refused.status == 413);
  CHECK(refused.body == "too much\n");
  CHECK(h.provider.cancelled == std::vector{registry::CancelReason::client});
  h.provider.end({});

  FakeReply& cut = h.begin_upload("/plugins/fake/x");
  h.running().on_answer_head({200, {}});
  h.say("half");
  cut.observer->on_body_failed(408, "too slow");
  CHECK(cut.aborted);
  CHECK(h.provider.cancelled.size() == 2);
  h.provider.end({});

  FakeReply& left = h.begin_upload("/plugins/fake/x");
  left.leave();
  CHECK(h.provider.cancelled.size() == 3);
  h.running().on_body_taken(1);
  CHECK(left.bodies_taken.empty());
  h.provider.end({});
  CHECK_FALSE(h.provider.body_is_whole);
}

TEST_CASE("an answer that has no body is whole at once, and who reads on in the request is told that nothing follows") {
  Site h;
  h.open("/x", 0, R"({"methods":["PUT"],"streamed":true})");
  FakeReply& early = h.begin_upload("/plugins/fake/x");
  h.running().on_answer_head({204, {}});
  h.turn();
  CHECK(early.status == 204);
  CHECK(h.provider.cancelled == std::vector{registry::CancelReason::client});
  h.provider.end({});
  FakeReply& late = h.begin_upload("/plugins/fake/x");
  late.observer->on_body("all", true);
  h.running().on_answer_head({204, {}});
  h.turn();
  CHECK(late.status == 204);
  CHECK(h.provider.cancelled.size() == 1);
  h.provider.end({});
}

TEST_CASE("when the deadline has passed it is said who was late: the client with its body, or the plugin") {
  Site h;
  h.open("/x", 1, R"({"methods":["PUT"],"streamed":true})");
  const auto status = [&](std::string_view body, std::optional<std::size_t> taken, bool last) {
    FakeReply& reply = h.begin_upload("/plugins/fake/x");
    reply.observer->on_body(body, last);
    if (taken) h.running().on_body_taken(*taken);
    while (reply.status == 0) h.turn();
    h.provider.end({});
    return reply.status;
  };
  CHECK(status("some", 4, false) == 408);
  CHECK(status("some", 3, false) == 504);
  CHECK(status("some", 4, true) == 504);
  CHECK(status("", {}, false) == 504);
  CHECK(h.provider.cancelled == std::vector(4, registry::CancelReason::deadline));
}

TEST_CASE("routes are in no list of MCP's") {
  Site h;
  h.add_tool("t", [](const Call&, Listener&) {});
  h.serve("/x");
  CHECK(h.modern("tools/list").body.find("/x") == std::string::npos);
  CHECK(h.modern("resources/list").body.find("/x") == std::string::npos);
}
