// Which client we are at an authorization server, and what is done when the server does not know it.
#include "client/auth/oauth.h"
#include "plugins/client/auth/world.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;
using Catch::Contains;

namespace {

// A browser that nobody looks over the shoulder of.
struct RegisteringBrowser final : UserAgent {
  explicit RegisteringBrowser(World& world) : follower(world) {}
  Result<std::string> redirect_uri(std::string_view preferred, std::uint16_t port) override {
    return follower.redirect_uri(preferred, port);
  }
  void authorize(const std::string& url, const std::string& uri,
                 std::function<void(Result<std::string>)> done) override {
    ++opened;
    follower.authorize(url, uri, std::move(done));
  }
  void conclude(const Result<void>& outcome) override { told.push_back(outcome ? "good" : outcome.message()); }
  bool is_browser() const override { return true; }

  FollowingAgent follower;
  int opened = 0;
  std::vector<std::string> told;
};

}  // namespace

TEST_CASE("a registration whose secret has expired, or for another redirect URI, is made again") {
  World world;
  world.servers[0].auth_methods = {"client_secret_basic"};
  world.servers[0].secret_expires_at = world.now + 100;
  REQUIRE(world.call(*world.authorizer()) == "200");
  world.revoke_tokens();
  SECTION("not yet expired") {
    world.now += 99;
    CHECK(world.call(*world.authorizer()) == "200");
    CHECK(world.servers[0].registrations.size() == 1);
  }
  SECTION("expired") {
    world.now += 100;
    CHECK(world.call(*world.authorizer()) == "200");
    CHECK(world.servers[0].registrations.size() == 2);
  }
  SECTION("another redirect URI") {
    struct Elsewhere final : UserAgent {
      explicit Elsewhere(UserAgent& agent) : inner(agent) {}
      Result<std::string> redirect_uri(std::string_view, std::uint16_t) override {
        return std::string("http://127.0.0.1:1/callback");
      }
      void authorize(const std::string& url, const std::string& uri,
                     std::function<void(Result<std::string>)> done) override {
        inner.authorize(url, uri, std::move(done));
      }
      UserAgent& inner;
    };
    FollowingAgent follower(world);
    Elsewhere elsewhere(follower);
    CHECK(world.call(*world.authorizer("{}", &elsewhere)) == "200");
    CHECK(world.servers[0].registrations.size() == 2);
  }
}

TEST_CASE("a server that registers nobody leaves the choice to the user") {
  World world;
  world.servers[0].registers = false;
  CHECK_THAT(world.call(*world.authorizer()), Contains("auth.client_id") && !Contains("client_metadata_url"));
}

TEST_CASE("a registration that the server has forgotten is made again, at once") {
  World world;
  AuthorizationServer& server = world.servers[0];
  REQUIRE(world.call(*world.authorizer()) == "200");
  world.revoke_tokens();
  server.registered_id = "registered-anew";
  SECTION("and is known") {
    const std::string refusal = GENERATE(as<std::string>(), "invalid_client", "unauthorized_client");
    server.check_token_request = [&server, refusal](const Form& form, const FetchRequest&) {
      server.refuse = field(form, "client_id") == "registered-anew" ? "" : refusal;
    };
    CHECK(world.call(*world.authorizer()) == "200");
    CHECK(server.registrations.size() == 2);
  }
  SECTION("and forgotten again, which is the end of it") {
    server.refuse = "invalid_client";
    const auto authorizer = world.authorizer();
    CHECK_THAT(world.call(*authorizer), Contains("invalid_client"));
    CHECK(server.registrations.size() == 2);
    server.refuse.clear();
    CHECK(world.call(*authorizer) == "200");
  }
}

TEST_CASE("a client that was forgotten while a service refreshes is registered anew with the next login") {
  World world;
  AuthorizationServer& server = world.servers[0];
  server.issues_refresh_tokens = true;
  REQUIRE(world.call(*world.authorizer()) == "200");
  world.revoke_tokens();
  NoUserAgent nobody("demo");
  server.refuse = "invalid_client";
  CHECK_THAT(world.call(*world.authorizer("{}", &nobody)), Contains("run: collet login demo"));
  server.refuse.clear();
  server.registered_id = "registered-anew";
  CHECK(world.call(*world.authorizer()) == "200");
  CHECK(field(server.authorizations.back(), "client_id") == "registered-anew");
}

TEST_CASE("a page that would leave the person alone with an error is not opened") {
  World world;
  RegisteringBrowser browser(world);
  world.knows_clients = true;
  REQUIRE(world.call(*world.authorizer("{}", &browser)) == "200");
  CHECK(browser.told == std::vector<std::string>{"good"});
  world.revoke_tokens();
  SECTION("as the server has forgotten us: we register anew") {
    world.forget_clients();
    world.servers[0].registered_id = "registered-anew";
    CHECK(world.call(*world.authorizer("{}", &browser)) == "200");
    CHECK(browser.opened == 2);
    CHECK_THAT(browser.told[1], Contains("answers the browser with 400: unknown client"));
    CHECK(browser.told[2] == "good");
  }
  SECTION("as the configured client is none") {
    CHECK_THAT(world.call(*world.authorizer(R"({"client_id":"mine"})", &browser)),
               Contains("400: unknown client") && Contains("auth.client_id 'mine'") && Contains("/callback"));
    CHECK(browser.opened == 1);
  }
  SECTION("but refusals of programs are for the browser to get past") {
    world.page_status = GENERATE(403, 429, 503);
    world.call(*world.authorizer("{}", &browser));
    CHECK(browser.opened == 2);
  }
}

TEST_CASE("a client by which nobody got in is not kept for the next login, unless there are tokens of it") {
  World world;
  const auto log_in = [&] {
    FollowingAgent agent(world);
    const auto made =
        make("{}", "demo", world.url, world, agent, world.store, {[&] { return world.now; }, {}, true});
    REQUIRE(made);
    bool good = false;
    (*made)->challenged(401, world.serve("x", {}).headers, [&](Result<bool> token) { good = token && *token; });
    world.run();
    return good;
  };
  world.broken["https://as.example/token"] = "the person is shown an error";
  CHECK_FALSE(log_in());
  CHECK_FALSE(log_in());
  CHECK(world.servers[0].registrations.size() == 2);
  world.broken.clear();
  CHECK(log_in());
  CHECK(world.servers[0].registrations.size() == 3);
  world.broken["https://as.example/token"] = "as before";
  CHECK_FALSE(log_in());
  world.broken.clear();
  CHECK(log_in());
  CHECK(world.servers[0].registrations.size() == 3);
}

TEST_CASE("a registration is taken as servers write it") {
  World world;
  const std::string members = GENERATE(
      R"("client_id":"registered-client")",
      R"("client_id":"registered-client","client_secret":null,"client_secret_expires_at":null,"logo_uri":null)",
      R"("client_id":"registered-client","client_secret":"","token_endpoint_auth_method":"client_secret_basic")",
      R"("client_id":"registered-client","client_secret_expires_at":"0","error":null)");
  world.special["https://as.example/register"] = [=] { return FetchResponse{201, {}, "{" + members + "}"}; };
  world.servers[0].check_token_request = [](const Form& form, const FetchRequest& request) {
    CHECK(field(form, "client_id") == "registered-client");
    CHECK(header(request.headers, "Authorization").empty());
  };
  CHECK(world.call(*world.authorizer()) == "200");
}

TEST_CASE("a registration that is refused with 200 is refused") {
  World world;
  world.special["https://as.example/register"] = [] {
    return FetchResponse{200, {}, R"({"error":"invalid_redirect_uri"})"};
  };
  CHECK_THAT(world.call(*world.authorizer()), Contains("the server answered invalid_redirect_uri"));
}

TEST_CASE("a refused registration is explained") {
  World world;
  world.special["https://as.example/register"] = [] {
    return FetchResponse{400, {}, R"({"error":"invalid_redirect_uri","error_description":"no loopback"})"};
  };
  CHECK_THAT(world.call(*world.authorizer()),
             Contains("invalid_redirect_uri no loopback") && Contains("auth.client_id"));
}
