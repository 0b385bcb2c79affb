// What a view hides is not there, in both eras and in everything that a client can ask.
#include <algorithm>

#include "protocol/harness.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::test;
using registry::Kind;

namespace {

void answers(const registry::Call&, registry::Listener& listener) {
  registry::Ending ending;
  ending.content = R"({"type":"text","text":"called"})";
  listener.on_end(ending);
}

// "all" sees everything, "few" what is named open or aside, of which the latter is in no list.
struct Viewing : Harness {
  Viewing() : Harness(options(), rules()) {
    for (const char* name : {"aside", "hidden", "open"}) {
      add_tool(name, answer);
      add(Kind::prompt, name, answer);
      add(Kind::resource, std::string("x:") + name, answer);
    }
    add(Kind::resource_template, "x:hid{den}", answer);
    add(Kind::resource_template, "y:open/{any}", answer);
  }
  const FakeProvider::Tool answer = [this](const registry::Call& call, registry::Listener&) {
    callers.push_back(call.principal ? registry::id_of(*call.principal) : "");
    registry::Ending ending;
    ending.content = call.kind == registry::CallKind::tool       ? R"({"type":"text","text":"called"})"
                     : call.kind == registry::CallKind::prompt   ? R"({"role":"user","content":{"type":"text","text":"called"}})"
                     : call.kind == registry::CallKind::resource ? R"({"uri":"x:y","text":"called"})"
                                                                 : R"("called")";
    provider.end(std::move(ending));
  };
  static protocol::ServerOptions options() {
    protocol::ServerOptions options;
    options.has_views = true;
    options.list_changed_interval_ms = 0;
    return options;
  }
  static protocol::AccessRules rules() {
    protocol::AccessRules rules;
    rules.authenticator = test::known_by([few = test::named("few", {.allow = {"*open*", "*aside"}, .unlisted = {"*aside"}}),
                          all = test::named("all")](std::string_view token) {
      return token == "few" ? few : token == "all" ? all : nullptr;
    });
    return rules;
  }
  // The body of the answer, in either era.
  std::string ask(bool is_modern, const char* who, const std::string& method, std::string params = "",
                  const std::string& name = "") {
    if (is_modern) return modern(method, params, name, "{}", "", who).body;
    if (!params.empty()) params.pop_back();  // its comma
    Post post;
    post.headers = {{"Content-Type", "application/json"},
                    {"MCP-Protocol-Version", "2025-11-25"},
                    {"Authorization", std::string("Bearer ") + who}};
    post.body = R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":{)" + params + "}}";
    return send(post).body;
  }
  std::vector<std::string> callers;
};

// What of a message would tell that something is there.
std::string words(std::string body, const std::string& name) {
  for (std::size_t at; (at = body.find(name)) != std::string::npos;) body.replace(at, name.size(), "NAME");
  return body;
}

}  // namespace

TEST_CASE("lists show what is listed, and what is hidden is in none") {
  Viewing h;
  for (const bool modern : {true, false}) {
    INFO(modern);
    for (const char* method : {"tools/list", "prompts/list", "resources/list", "resources/templates/list"}) {
      const std::string few = h.ask(modern, "few", method);
      const std::string all = h.ask(modern, "all", method);
      INFO(few);
      CHECK(few.find("open") != std::string::npos);
      CHECK(few.find("aside") == std::string::npos);
      CHECK(few.find("hid") == std::string::npos);
      CHECK(all.find("hid") != std::string::npos);
      // A cache between them and us is not to give the one what it has for the other.
      CHECK((few.find(R"("cacheScope":"private")") != std::string::npos) == modern);
      CHECK((all.find(R"("cacheScope":"private")") != std::string::npos) == modern);
    }
  }
}

TEST_CASE("what is listed or not can be called, and what is hidden is unknown in the words of what is not there") {
  Viewing h;
  struct Asked {
    const char* method;
    std::string before, after;
  };
  const Asked asked[] = {
      {"tools/call", R"("name":")", R"(","arguments":{},)"},
      {"prompts/get", R"("name":")", R"(",)"},
      {"resources/read", R"("uri":"x:)", R"(",)"},
      {"completion/complete", R"("argument":{"name":"a","value":""},"ref":{"type":"ref/prompt","name":")", R"("},)"},
      {"completion/complete", R"("argument":{"name":"a","value":""},"ref":{"type":"ref/resource","uri":"x:)", R"("},)"},
  };
  for (const bool modern : {true, false}) {
    for (const auto& [method, before, after] : asked) {
      INFO(method << modern);
      const bool named = std::string_view(method) != "completion/complete";
      const auto ask = [&](const char* who, const std::string& name) {
        const bool is_uri = std::string_view(method) == "resources/read";
        return h.ask(modern, who, method, before + name + after, named ? (is_uri ? "x:" : "") + name : "");
      };
      for (const char* name : {"open", "aside"}) CHECK(at(ask("few", name), "/error/code") == "");
      CHECK(at(ask("all", "hidden"), "/error/code") == "");
      const std::string hidden = ask("few", "hidden");
      CHECK(at(hidden, "/error/code") != "");
      CHECK(words(hidden, "hidden") == words(ask("few", "no-such"), "no-such"));
    }
  }
  for (const std::string& caller : h.callers) CHECK((caller == "few" || caller == "all"));
}

TEST_CASE("a template that is hidden does not keep one behind it from being found") {
  Viewing h;
  h.add(Kind::resource_template, "x:{open}", h.answer);
  CHECK(at(h.ask(true, "few", "resources/read", R"("uri":"x:hiding",)", "x:hiding"), "/error/code") == "");
}

TEST_CASE("a template shows nothing that is hidden by its own name") {
  protocol::AccessRules rules;
  rules.authenticator = test::known_by([](std::string_view) { return test::named("few", {.deny = {"resource:x:docs/*secret*"}}); });
  Harness h({}, rules);
  const FakeProvider::Tool read = [&](const registry::Call&, registry::Listener&) {
    registry::Ending ending;
    ending.content = R"({"uri":"x:y","text":"read"})";
    h.provider.end(std::move(ending));
  };
  h.add(Kind::resource, "x:docs/secret", read);
  h.add(Kind::resource, "x:docs/%73ecret2", read);
  h.add(Kind::resource_template, "x:docs/{name}", read);
  const auto code = [&](const std::string& uri) {
    return at(h.modern("resources/read", R"("uri":")" + uri + R"(",)", uri, "{}", "", "any").body, "/error/code");
  };
  CHECK(code("x:docs/open") == "");
  for (const char* hidden : {"x:docs/secret", "x:docs/%73ecret", "x:docs/secret2", "x:docs/other-secret", "x:docs/%73%65cret3"}) {
    INFO(hidden);
    CHECK(code(hidden) == "-32602");
  }
}

TEST_CASE("a list that has changed and changed back is told of, as somebody may have seen it between") {
  protocol::ServerOptions options;
  options.list_changed_interval_ms = 20;
  protocol::AccessRules rules;
  rules.authenticator = test::known_by([](std::string_view) { return test::named("few", {.deny = {"hidden"}}); });
  Harness h(std::move(options), rules);
  FakeReply& stream = h.modern("subscriptions/listen", R"("notifications":{"toolsListChanged":true},)", "", "{}", "", "any");
  h.add_tool("a", answers);
  REQUIRE(stream.events.size() == 2);  // acknowledged, and told at once; what follows is told when the interval is over
  const auto offer = [&](std::vector<std::string> names) {
    std::vector<registry::ItemDef> items;
    for (std::string& name : names) {
      registry::ItemDef def;
      def.name = std::move(name);
      def.definition = "{}";
      items.push_back(std::move(def));
    }
    h.registry.replace("fake", &h.provider, std::move(items));
    h.turn();
  };
  offer({"a", "b"});
  offer({"a"});
  loop::Timer later(h.loop);
  later.repeat(1, [&] {
    if (stream.events.size() > 2) h.loop.stop();
  });
  loop::Timer late(h.loop);
  late.start(60'000, [&] { h.loop.stop(); });
  h.loop.run();
  CHECK(stream.events.size() > 2);
}

TEST_CASE("news of what is hidden reaches nobody who does not see it") {
  Viewing h;
  const std::string wishes =
      R"("notifications":{"toolsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["x:open","x:hidden"]},)";
  FakeReply& few = h.modern("subscriptions/listen", wishes, "", "{}", "", "few");
  FakeReply& all = h.modern("subscriptions/listen", wishes, "", "{}", "", "all");
  CHECK(few.events.at(0).find("x:hidden") == std::string::npos);
  CHECK(all.events.at(0).find("x:hidden") != std::string::npos);

  // A legacy session of each.
  const auto stream_of = [&](std::string who) -> FakeReply& {
    Post post;
    post.headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + who}};
    post.body = R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
                R"("capabilities":{},"clientInfo":{"name":"t","version":"1"}}})";
    const std::string session = h.send(post).headers.at("Mcp-Session-Id");
    post.headers.push_back({"Mcp-Session-Id", session});
    post.body = R"({"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"x:hidden"}})";
    CHECK((at(h.send(post).body, "/error/code") == "") == (who == "all"));
    post.headers = {{"Accept", "text/event-stream"}, {"Authorization", "Bearer " + who}, {"Mcp-Session-Id", session}};
    post.method = "GET";
    post.body = {};
    return h.send(post);
  };
  FakeReply& legacy_few = stream_of("few");
  FakeReply& legacy_all = stream_of("all");
  const auto count = [](const FakeReply& reply, const char* what) {
    return std::count_if(reply.events.begin(), reply.events.end(),
                         [&](const std::string& event) { return event.find(what) != std::string::npos; });
  };
  const auto told = [&](const char* what) {
    h.turn();
    return std::vector<long>{count(few, what), count(all, what), count(legacy_few, what), count(legacy_all, what)};
  };
  constexpr const char* kTools = "tools/list_changed";
  h.add_tool("also-hidden", h.answer);
  CHECK(told(kTools) == std::vector<long>{0, 1, 0, 1});
  h.add_tool("another-aside", h.answer);  // not even this: it is in no list
  CHECK(told(kTools) == std::vector<long>{0, 2, 0, 2});
  h.add_tool("also-open", h.answer);
  CHECK(told(kTools) == std::vector<long>{1, 3, 1, 3});
  constexpr const char* kResources = "resources/list_changed";
  h.add(Kind::resource_template, "x:hid/{den}", h.answer);
  CHECK(told(kResources) == std::vector<long>{0, 1, 0, 1});
  h.add(Kind::resource_template, "y:also-open/{any}", h.answer);  // templates are resources to clients
  CHECK(told(kResources) == std::vector<long>{1, 2, 1, 2});
  h.server.resource_updated("x:hidden");
  CHECK(told("resources/updated") == std::vector<long>{0, 1, 0, 1});
  h.server.resource_updated("x:open");
  CHECK(told("resources/updated") == std::vector<long>{1, 2, 0, 1});
}

TEST_CASE("instructions of a plugin that is hidden whole are for others") {
  protocol::ServerOptions options;
  options.more_instructions = [](const auto& is_shown) { return is_shown("fake") ? "use it well" : ""; };
  protocol::AccessRules rules;
  rules.authenticator = test::known_by([](std::string_view token) {
    return test::named(token, {.deny = {token == "none" ? "*" : "hidden"}});
  });
  Harness h(std::move(options), rules);
  for (const char* name : {"hidden", "open"}) h.add_tool(name, answers);
  for (const char* who : {"none", "some"}) {
    const bool told = who == std::string_view("some");
    CHECK((h.modern("server/discover", "", "", "{}", "", who).body.find("use it well") != std::string::npos) == told);
    Post post;
    post.headers = {{"Content-Type", "application/json"}, {"Authorization", std::string("Bearer ") + who}};
    post.body = R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
                R"("capabilities":{},"clientInfo":{"name":"t","version":"1"}}})";
    CHECK((h.send(post).body.find("use it well") != std::string::npos) == told);
  }
}

TEST_CASE("a plugin is told whose principal calls, and what for it was let in") {
  registry::Principal alice{.id = "alice", .kind = registry::Principal::Kind::token, .tenant = "acme", .scopes = {"a:b", "c"}};
  protocol::AccessRules rules;
  rules.authenticator = test::known_by([known = std::make_shared<const registry::Principal>(alice)](std::string_view) { return known; });
  Harness h({}, rules);
  std::string told;
  h.add_tool("who", [&](const registry::Call& call, registry::Listener& listener) {
    for (const char* key : {"principal", "tenant", "scopes"}) told += std::string(listener.info(key).value_or("?")) + " ";
    CHECK((*call.principal)->tenant == "acme");
    h.provider.end_with_text("told");
  });
  h.modern("tools/call", R"("name":"who",)", "who", "{}", "", "any");
  CHECK(told == R"(alice acme ["a:b","c"] )");
}

TEST_CASE("who is let in without a token, and who is at the standard streams, may have a view as well") {
  protocol::AccessRules rules;
  rules.anybody = test::named("anybody", {.deny = {"hidden"}});
  Harness h({}, rules);
  h.add_tool("hidden", answers);
  h.add_tool("open", answers);
  CHECK(h.modern("tools/list").body.find("hidden") == std::string::npos);
  CHECK(h.modern("tools/list").body.find("open") != std::string::npos);
}
