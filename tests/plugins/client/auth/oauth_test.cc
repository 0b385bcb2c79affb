// What happens to tokens after the first: age, refusal, other processes, and everything at once.
#include "client/auth/oauth.h"

#include <sys/stat.h>

#include "client/auth/authorization_code.h"
#include "client/auth/token_endpoint.h"
#include "plugins/client/auth/world.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;
using Catch::Contains;
using Headers = std::vector<HttpHeader>;

namespace {

// What `authorizer` gives now, without any answer but the store's coming in between.
std::optional<Result<Headers>> headers_now(World& world, collet::client::Authorizer& authorizer,
                                           const std::string& url) {
  std::optional<Result<Headers>> headers;
  authorizer.headers("POST", url, [&](auto result) { headers = std::move(result); });
  while (!headers && world.memory.answer()) {
  }
  return headers;
}

}  // namespace

TEST_CASE("nothing is sent before the server has asked for it") {
  World world;
  const auto authorizer = world.authorizer();
  CHECK((**headers_now(world, *authorizer, world.url)).empty());
  CHECK(world.requests.empty());
}

TEST_CASE("a token is sent to the server that it is for, and to no other") {
  World world;
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  CHECK((**headers_now(world, *authorizer, "https://mcp.example/mcp/messages?id=1")).size() == 1);
  for (const char* url :
       {"https://evil.example/mcp", "http://mcp.example/mcp", "https://mcp.example:444/mcp", "x"}) {
    CHECK_THAT((*headers_now(world, *authorizer, url)).message(), Contains("is sent to"));
  }
}

TEST_CASE("a token that is about to expire is refreshed first, and refresh tokens rotate") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  const std::string first = refresh_token_of(world);
  world.now += 3'600 - 31;
  CHECK(world.call(*authorizer) == "200");
  CHECK(world.servers[0].token_requests.size() == 1);
  world.now += 1;
  CHECK(world.call(*authorizer) == "200");
  REQUIRE(world.servers[0].token_requests.size() == 2);
  const Form& refresh = world.servers[0].token_requests[1];
  CHECK(field(refresh, "grant_type") == "refresh_token");
  CHECK(field(refresh, "refresh_token") == first);
  CHECK(field(refresh, "resource") == "https://mcp.example/mcp");
  CHECK(field(refresh, "client_id") == "registered-client");
  CHECK(refresh_token_of(world) != first);
  CHECK(world.servers[0].authorizations.size() == 1);
}

TEST_CASE("a token that lives shorter than the skew is not renewed for each request") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  world.servers[0].expires_in = 8;
  const auto authorizer = world.authorizer();
  for (int i = 0; i < 3; ++i) CHECK(world.call(*authorizer) == "200");
  CHECK(world.servers[0].token_requests.size() == 1);
  world.now += 6;
  CHECK(world.call(*authorizer) == "200");
  CHECK(world.servers[0].token_requests.size() == 2);
}

TEST_CASE("a refused token is refreshed, without a person") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  world.revoke_tokens();
  CHECK(world.call(*authorizer) == "200");
  CHECK(world.servers[0].authorizations.size() == 1);
  CHECK(world.servers[0].token_requests.size() == 2);
}

TEST_CASE("a refresh token that is no good any more leads to a new authorization") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  world.revoke_tokens();
  StoredToken token = *world.kept_token();
  token.refresh_token = "unknown";
  REQUIRE(world.outcome([&](auto done) { world.store.keep(token, done); }));
  const auto restarted = world.authorizer();
  CHECK(world.call(*restarted) == "200");
  CHECK(world.servers[0].authorizations.size() == 2);
  CHECK(world.servers[0].registrations.size() == 1);
}

TEST_CASE("a refresh token that is not replaced stays good") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  world.servers[0].rotates = false;
  const auto authorizer = world.authorizer();
  for (int i = 0; i < 3; ++i) {
    CHECK(world.call(*authorizer) == "200");
    world.now += 4'000;
  }
  CHECK(world.servers[0].token_requests.size() == 3);
  CHECK(world.servers[0].authorizations.size() == 1);
}

TEST_CASE("of two processes with one refresh token the slower takes what the faster got") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  const auto slower = world.authorizer(), faster = world.authorizer();
  REQUIRE(world.call(*slower) == "200");
  REQUIRE(world.call(*faster) == "200");
  world.now += 4'000;
  CHECK(world.call(*faster) == "200");
  CHECK(world.call(*slower) == "200");
  CHECK((**headers_now(world, *slower, world.url))[0].value == (**headers_now(world, *faster, world.url))[0].value);
  CHECK(world.servers[0].authorizations.size() == 1);
}

TEST_CASE("a token of another issuer that another process got is renewed at that issuer") {
  World world;
  world.servers.resize(2);
  world.servers[1].origin = "https://second.example";
  world.servers[1].issues_refresh_tokens = true;
  const auto service = world.authorizer();
  REQUIRE(world.call(*service) == "200");
  world.named_server = 1;
  world.revoke_tokens();
  REQUIRE(world.call(*world.authorizer()) == "200");
  CHECK(world.call(*service) == "200");
  world.now += 4'000;
  CHECK(world.call(*service) == "200");
  CHECK(world.servers[1].token_requests.size() == 2);
  CHECK(world.servers[0].token_requests.size() == 1);
}

TEST_CASE("a refresh token is used only for its scope, its resource and by its client") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  world.challenge_scope = "a";
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  SECTION("more scope is demanded") {
    world.challenge_scope = "a b";
    world.revoke_tokens();
    CHECK(world.call(*authorizer) == "200");
    CHECK(field(world.servers[0].authorizations.back(), "scope") == "a b");
  }
  SECTION("the resource calls itself otherwise") {
    world.resource = "https://mcp.example";
    world.revoke_tokens();
    CHECK(world.call(*authorizer) == "200");
    CHECK(field(world.servers[0].authorizations.back(), "resource") == "https://mcp.example");
  }
  SECTION("another client was registered since") {
    const StoredClient other{"https://as.example", "http://127.0.0.1:3334/callback", "new", "", "none", 0};
    REQUIRE(world.outcome([&](auto done) { world.store.keep(other, done); }));
    world.revoke_tokens();
    CHECK(world.call(*authorizer) == "200");
    CHECK(field(world.servers[0].authorizations.back(), "client_id") == "new");
  }
  CHECK(world.servers[0].authorizations.size() == 2);
  CHECK(world.servers[0].token_requests.size() == 2);
}

TEST_CASE("an authorization server that demands another nonce each time is asked twice") {
  World world;
  world.servers[0].dpop_algorithms = {"ES256"};
  int asked = 0;
  world.special[kTokenUrl] = [&] {
    return FetchResponse{400, {{"DPoP-Nonce", "n" + std::to_string(++asked)}}, R"({"error":"use_dpop_nonce"})"};
  };
  CHECK_THAT(world.call(*world.authorizer(R"({"dpop":true})")), Contains("use_dpop_nonce"));
  CHECK(asked == 2);
}

TEST_CASE("a token endpoint that cannot be reached fails the call, and keeps the refresh token") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  world.now += 3'600;
  world.broken[kTokenUrl] = "connection refused";
  CHECK_THAT(world.call(*authorizer),
             Contains("authorization at https://mcp.example/mcp") && Contains(kTokenUrl) && Contains("refused"));
  world.broken.clear();
  CHECK(world.call(*authorizer) == "200");
  CHECK(world.servers[0].authorizations.size() == 1);
}

TEST_CASE("another process starts with the tokens that are there") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  REQUIRE(world.call(*world.authorizer()) == "200");
  world.requests.clear();
  CHECK(world.call(*world.authorizer()) == "200");
  CHECK(world.requests.empty());
  world.now += 4'000;
  CHECK(world.call(*world.authorizer()) == "200");
  CHECK(world.servers[0].authorizations.size() == 1);
}

TEST_CASE("a token bound by DPoP keeps its key over a restart") {
  World world;
  world.challenge_scheme = "DPoP";
  world.servers[0].dpop_algorithms = {"ES256"};
  world.servers[0].issues_refresh_tokens = true;
  REQUIRE(world.call(*world.authorizer()) == "200");
  CHECK(world.call(*world.authorizer()) == "200");
  world.now += 4'000;
  CHECK(world.call(*world.authorizer()) == "200");
  CHECK(world.servers[0].authorizations.size() == 1);
}

TEST_CASE("a service without a person says what to run, and goes on once that was done elsewhere") {
  World world;
  NoUserAgent nobody("demo");
  const auto service = world.authorizer("{}", &nobody);
  CHECK_THAT(world.call(*service), Contains("run: collet login demo"));
  CHECK(world.servers[0].registrations.empty());
  REQUIRE(world.call(*world.authorizer()) == "200");  // collet login
  CHECK(world.call(*service) == "200");
  CHECK(world.servers[0].authorizations.size() == 1);
  for (int i = 0; i < 5; ++i) CHECK_THAT(world.call(*world.authorizer("{}", &nobody)), Contains("200"));
}

TEST_CASE("a service without a person follows the redirects of a server that asks nobody, if it is configured to") {
  World world;
  NoUserAgent nobody("demo");
  CHECK(world.call(*world.authorizer(R"({"consent":"automatic"})", &nobody)) == "200");
}

TEST_CASE("why a service cannot log in is said for as long as it is asked") {
  World world;
  NoUserAgent nobody("demo");
  const auto service = world.authorizer("{}", &nobody);
  for (int i = 0; i < 10; ++i) CHECK_THAT(world.call(*service), Contains("run: collet login demo"));
  CHECK(world.requests.size() == 6);  // two documents for each of three attempts
}

TEST_CASE("all who wait for a token get the one") {
  World world;
  const auto authorizer = world.authorizer();
  const FetchResponse refusal = world.serve("tools/list", {});
  int again = 0;
  for (int i = 0; i < 50; ++i) {
    authorizer->challenged(401, refusal.headers, [&](Result<bool> result) { again += result && *result; });
  }
  while (world.requests.empty()) REQUIRE(world.step());  // the store knows of no token
  std::optional<Result<Headers>> headers;
  authorizer->headers("POST", world.url, [&](auto result) { headers = std::move(result); });
  CHECK_FALSE(headers);
  world.run();
  CHECK(again == 50);
  CHECK((*headers)->size() == 1);
  CHECK(world.servers[0].authorizations.size() == 1);
}

TEST_CASE("the end of an authorizer, whenever it comes, is the end of its callbacks") {
  for (int steps = 0; steps < 20; ++steps) {
    World world;
    auto authorizer = world.authorizer();
    int calls = 0;
    authorizer->challenged(401, world.serve("x", {}).headers, [&](Result<bool>) { ++calls; });
    for (int i = 0; i < steps && world.step(); ++i) {
    }
    const int before = calls;
    authorizer.reset();
    world.run();
    CHECK(calls == before);
  }
}

TEST_CASE("whoever waited may end the authorizer, and the others are not called") {
  World world;
  auto authorizer = world.authorizer();
  int calls = 0;
  for (int i = 0; i < 3; ++i) {
    authorizer->challenged(401, world.serve("x", {}).headers, [&](Result<bool>) {
      ++calls;
      authorizer.reset();
    });
  }
  world.run();
  CHECK(calls == 1);
}

TEST_CASE("a failure at any step fails the call with its reason, and the next call may succeed") {
  World world;
  const std::string where = GENERATE("https://mcp.example/.well-known/oauth-protected-resource/mcp",
                                     "https://as.example/.well-known/oauth-authorization-server",
                                     "https://as.example/register", "https://as.example/token");
  const auto authorizer = world.authorizer();
  world.broken[where] = "cut off";
  CHECK_THAT(world.call(*authorizer), Contains("authorization at") && Contains(where) && Contains("cut off"));
  world.broken.clear();
  CHECK(world.call(*authorizer) == "200");
}

TEST_CASE("only 401 and insufficient scope are answered with authorization") {
  World world;
  const auto authorizer = world.authorizer();
  const auto challenge = [&](int status, Headers headers) {
    std::optional<Result<bool>> again;
    authorizer->challenged(status, headers, [&](auto result) { again = std::move(result); });
    world.run();
    return **again;
  };
  CHECK_FALSE(challenge(403, {}));
  CHECK_FALSE(challenge(403, {{"WWW-Authenticate", "Bearer error=\"invalid_token\""}}));
  CHECK_FALSE(challenge(500, {{"WWW-Authenticate", "Bearer"}}));
  CHECK(world.requests.empty());
  CHECK(challenge(401, {}));  // without any challenge the well-known places are tried
}

TEST_CASE("who logs in is told whether a remote that lets everybody in wants a login at all") {
  World world;
  Hooks hooks{[&] { return world.now; }, {}, true};
  FollowingAgent agent(world);
  const auto made = make("{}", "demo", world.url, world, agent, world.store, hooks);
  REQUIRE(made);
  std::optional<Result<bool>> token;
  const auto log_in = [&](int status) {
    token.reset();
    (*made)->challenged(status, {}, [&](auto result) { token = std::move(result); });
    world.run();
    REQUIRE(token);
  };
  SECTION("it says how") {
    log_in(200);
    CHECK((*token && **token));
    CHECK(world.servers[0].authorizations.size() == 1);
  }
  SECTION("it does not") {
    world.prm_path = "";
    log_in(GENERATE(200, 400, 405));
    CHECK((*token && !**token));
    log_in(401);
    CHECK_THAT(token->message(), Contains("does not say how to be authorized"));
  }
}

TEST_CASE("nothing is authorized where auth.type is none") {
  World world;
  const auto authorizer = world.authorizer(R"({"type":"none"})");
  CHECK_THAT(world.call(*authorizer), Contains("auth.type = \"none\""));
  CHECK(world.requests.empty());
}

TEST_CASE("a server without PKCE is refused") {
  World world;
  world.servers[0].pkce = false;
  CHECK_THAT(world.call(*world.authorizer()), Contains("PKCE"));
  CHECK(world.servers[0].authorizations.empty());
}

TEST_CASE("a server that says nothing of authorization is told apart from one whose authorization fails") {
  World world;
  world.names_prm = false;
  world.prm_path = "";
  CHECK_THAT(world.call(*world.authorizer()),
             Contains("HTTP status 401") && Contains("does not say how to be authorized") && Contains("`headers`"));
}

TEST_CASE("configured scopes are asked for as they stand, and what is demanded besides") {
  World world;
  world.resource_scopes = R"(["not:asked"])";
  world.servers[0].scopes_supported = {"a"};  // offline_access is not among them
  const auto authorizer = world.authorizer(R"({"scopes":["offline_access","a"]})");
  CHECK(world.call(*authorizer) == "200");
  CHECK(field(world.servers[0].authorizations[0], "scope") == "offline_access a");
  world.needed_scope["tools/call"] = "b";
  CHECK(world.call(*authorizer, "tools/call") == "200");
  CHECK(field(world.servers[0].authorizations[1], "scope") == "offline_access a b");
}

TEST_CASE("a remote whose description is in trouble goes on with what it said before") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  world.names_prm = false;
  world.special["https://mcp.example/.well-known/oauth-protected-resource/mcp"] = [] {
    return FetchResponse{503, {}, ""};
  };
  world.revoke_tokens();
  CHECK(world.call(*authorizer) == "200");
  CHECK(world.servers[0].authorizations.size() == 1);
}

TEST_CASE("a remote whose description is in trouble, and of which nothing is known, says so") {
  World world;
  world.names_prm = false;
  world.special["https://mcp.example/.well-known/oauth-protected-resource/mcp"] = [] {
    return FetchResponse{503, {}, ""};
  };
  CHECK_THAT(world.call(*world.authorizer()), Contains("the server answered 503"));
}

TEST_CASE("the configured authorization server is the one that is used, or none") {
  World world;
  world.servers.resize(2);
  world.servers[1].origin = "https://second.example";
  SECTION("among others") {
    world.special["https://mcp.example/.well-known/oauth-protected-resource/mcp"] = [] {
      return FetchResponse{200,
                           {},
                           R"({"resource":"https://mcp.example/mcp",)"
                           R"("authorization_servers":["https://as.example","https://second.example"]})"};
    };
    CHECK(world.call(*world.authorizer(R"({"issuer":"https://second.example"})")) == "200");
    CHECK(world.servers[0].authorizations.empty());
  }
  SECTION("not there") {
    CHECK_THAT(world.call(*world.authorizer(R"({"issuer":"https://second.example"})")),
               Contains("auth.issuer https://second.example") && Contains("https://as.example"));
  }
}

TEST_CASE("an issuer that differs by its last slash is used if it is configured as its metadata writes it") {
  World world;
  SECTION("the metadata has the slash") { world.servers[0].metadata_issuer = "https://as.example/"; }
  SECTION("the remote has it") {
    world.servers[0].metadata_issuer = "https://as.example";
    world.special["https://mcp.example/.well-known/oauth-protected-resource/mcp"] = [] {
      return FetchResponse{
          200, {}, R"({"resource":"https://mcp.example/mcp","authorization_servers":["https://as.example/"]})"};
    };
  }
  world.servers[0].iss = world.servers[0].metadata_issuer;
  CHECK_THAT(world.call(*world.authorizer()), Contains("auth.issuer"));
  CHECK(world.call(*world.authorizer(R"({"issuer":")" + *world.servers[0].metadata_issuer + "\"}")) == "200");
}

TEST_CASE("a server that knows nothing of resources is not told of one, if so configured") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  world.wants_resource = false;
  const auto authorizer = world.authorizer(R"({"send_resource":false})");
  CHECK(world.call(*authorizer) == "200");
  world.now += 4'000;
  CHECK(world.call(*authorizer) == "200");
  CHECK_FALSE(find(world.servers[0].authorizations[0], "resource"));
  REQUIRE(world.servers[0].token_requests.size() == 2);
  for (const Form& form : world.servers[0].token_requests) CHECK_FALSE(find(form, "resource"));
  CHECK(world.call(*world.authorizer(R"({"send_resource":false})")) == "200");
  CHECK(world.servers[0].authorizations.size() == 1);
}

TEST_CASE("a remote that calls itself otherwise is let do so by auth.resource, and no third one is") {
  World world;
  world.resource = "https://api.elsewhere.example/mcp";
  const std::string config = R"({"resource":"https://api.elsewhere.example/mcp"})";
  CHECK(world.call(*world.authorizer(config)) == "200");
  CHECK(field(world.servers[0].authorizations[0], "resource") == world.resource);
  CHECK(world.call(*world.authorizer(config)) == "200");
  CHECK(world.servers[0].authorizations.size() == 1);
  world.resource = "https://api.elsewhere.example/mcp2";
  world.revoke_tokens();
  CHECK_THAT(world.call(*world.authorizer(config)), Contains("is for '" + world.resource + "'"));
}

TEST_CASE("a server that uses PKCE without saying so is let do so by auth.assume_pkce") {
  World world;
  world.servers[0].pkce = false;
  CHECK_THAT(world.call(*world.authorizer()), Contains("auth.assume_pkce"));
  CHECK(world.call(*world.authorizer(R"({"assume_pkce":true})")) == "200");  // the world checks the challenge
}

TEST_CASE("DPoP as configured: demanded, or never") {
  World world;
  SECTION("demanded, but the token is not bound") {
    CHECK_THAT(world.call(*world.authorizer(R"({"dpop":true})")), Contains("type 'bearer'"));
  }
  SECTION("demanded and bound") {
    world.servers[0].dpop_algorithms = {"ES256"};
    CHECK(world.call(*world.authorizer(R"({"dpop":true})")) == "200");
    CHECK_FALSE(world.proofs_seen.empty());
  }
  SECTION("demanded, but only other algorithms are taken") {
    world.servers[0].dpop_algorithms = {"PS512"};
    CHECK_THAT(world.call(*world.authorizer(R"({"dpop":true})")), Contains("ES256"));
  }
  SECTION("by the resource's document") {
    world.extra_prm = R"(,"dpop_bound_access_tokens_required":true)";
    world.servers[0].dpop_algorithms = {"ES256"};
    CHECK(world.call(*world.authorizer()) == "200");
    CHECK_FALSE(world.proofs_seen.empty());
  }
  SECTION("never") {
    world.challenge_scheme = "DPoP";
    world.servers[0].dpop_algorithms = {"ES256"};
    CHECK(world.call(*world.authorizer(R"({"dpop":false})")) == "200");
    CHECK(world.proofs_seen.empty());
  }
}

TEST_CASE("a server that demands a new nonce each time is not obeyed for ever") {
  World world;
  world.challenge_scheme = "DPoP";
  world.servers[0].dpop_algorithms = {"ES256"};
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  unsigned obeyed = 0;
  std::string end;
  while (end.empty()) {
    const Headers demand = {{"WWW-Authenticate", "DPoP error=\"use_dpop_nonce\""},
                            {"DPoP-Nonce", "n" + std::to_string(obeyed)}};
    authorizer->challenged(401, demand,
                           [&](Result<bool> again) { again ? void(++obeyed) : void(end = again.message()); });
  }
  CHECK(obeyed == auth::limits::kFreeRetriesMax);
  CHECK_THAT(end, Contains("refuses every token and proof"));
}

TEST_CASE("a store that cannot be written costs a warning, and the token works all the same") {
  World world(Kept::in_file);
  const StoredClient known{"https://as.example", "http://127.0.0.1:3334/callback", "known", "", "none", 0};
  REQUIRE(world.outcome([&](auto done) { world.store.keep(known, done); }));
  const auto authorizer = world.authorizer();
  CHECK((**headers_now(world, *authorizer, world.url)).empty());
  REQUIRE(::mkdir(world.directory.path("tokens.json.new").c_str(), 0700) == 0);
  CHECK(world.call(*authorizer) == "200");
  REQUIRE(world.warnings.size() == 1);
  CHECK_THAT(world.warnings[0], Contains("the token of remote demo is lost with this process"));
  CHECK(world.call(*authorizer) == "200");
}

TEST_CASE("a store that others may read fails the call and says so") {
  World world(Kept::in_file);
  REQUIRE(world.call(*world.authorizer()) == "200");
  REQUIRE(::chmod(world.store.place().c_str(), 0644) == 0);
  CHECK_THAT(world.call(*world.authorizer()), Contains("chmod 600"));
}

TEST_CASE("what a token endpoint answers is taken for what it is") {
  const auto tokens = [](std::string_view body) { return parse_tokens(body, "https://t"); };
  const auto refusal = [&](std::string_view body) { return std::get<TokenRefusal>(tokens(body)).message; };
  const auto good = [&](std::string_view body) { return std::get<Tokens>(tokens(body)); };
  CHECK(good(R"({"access_token":"a","token_type":"BEARER","x":[]})").token_type == "bearer");
  CHECK(good(R"({"access_token":"a","refresh_token":null,"scope":null,"expires_in":null})").refresh_token.empty());
  CHECK(good(R"({"access_token":"a","expires_in":3599.5})").expires_in == 3'599);
  CHECK(good(R"({"access_token":"a","expires_in":-5})").expires_in == 0);
  CHECK(good(R"({"access_token":"a","expires_in":1e300})").expires_in == auth::limits::kTokenLifeMaxS);
  CHECK(good(R"({"access_token":"a","expires_in":"3599"})").expires_in == 3'599);
  CHECK_FALSE(good(R"({"access_token":"a","expires_in":"soon"})").expires_in);
  CHECK_FALSE(good(R"({"access_token":"a","expires_in":"nan"})").expires_in);
  CHECK(good(R"({"access_token":"a","scope":["a","b"],"error":null})").access_token == "a");
  CHECK(good("access_token=a%2Db&token_type=Bearer&expires_in=8&refresh_token=r\n").access_token == "a-b");
  CHECK(good("access_token=a&token_type=Bearer&expires_in=8&refresh_token=r\n").refresh_token == "r");
  CHECK(good("access_token=a&expires_in=8").expires_in == 8);
  CHECK(std::get<TokenRefusal>(tokens(R"({"error":"bad_code","error_description":"too\nold"})")).code ==
        "bad_code");
  CHECK_THAT(refusal("error=bad_code&error_description=too+old"), Contains("200 bad_code: too old"));
  CHECK_THAT(refusal("{}"), Contains("has no access_token"));
  CHECK_THAT(refusal("oops"), Contains("not valid JSON"));
  CHECK_THAT(refusal(R"({"access_token":7})"), Contains("/access_token"));
  CHECK_THAT(refusal(R"({"access_token":"a\r\nX: y"})"), Contains("no header may have"));
  const std::string most(auth::limits::kTokenBytesMax, 't');
  CHECK(good("{\"access_token\":\"" + most + "\"}").access_token == most);
  CHECK_THAT(refusal("{\"access_token\":\"" + most + "t\"}"), Contains("more than 65536 bytes"));
}

TEST_CASE("an error of the authorization server is shown, if it is from the right one") {
  const ServerMetadata server = [] {
    ServerMetadata out;
    out.issuer = "https://as";
    return out;
  }();
  CHECK(*check_callback("code=c&state=s", server, "s") == "c");
  CHECK_THAT(check_callback("error=access_denied&error_description=no%20way&state=s", server, "s").message(),
             Contains("access_denied: no way"));
  CHECK_THAT(check_callback("error=access_denied&state=s&iss=https://evil", server, "s").message(),
             !Contains("access_denied"));
  CHECK_THAT(check_callback("error=access_denied&state=t", server, "s").message(), !Contains("access_denied"));
  CHECK_THAT(check_callback("code=c", server, "s").message(), Contains("its state is another"));
  CHECK_THAT(check_callback("code=&state=s", server, "s").message(), Contains("neither a code nor an error"));
  CHECK_FALSE(check_callback("state=s&code=%zz", server, "s"));
}
