// One token, several processes, and servers in trouble.
#include "client/auth/oauth.h"

#include <sys/stat.h>

#include "plugins/client/auth/world.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;
using Catch::Contains;
using Headers = std::vector<HttpHeader>;

TEST_CASE("a token endpoint in trouble loses no login") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  const std::string refresh_token = refresh_token_of(world);
  const FetchResponse trouble = GENERATE(
      FetchResponse{503, {}, R"({"error":"temporarily_unavailable"})"}, FetchResponse{500, {}, "oops"},
      FetchResponse{429, {}, R"({"error":"slow_down"})"}, FetchResponse{400, {}, R"({"error":"server_error"})"},
      FetchResponse{502, {}, R"({"error":"invalid_grant"})"}, FetchResponse{200, {}, "<html>"});
  world.special[kTokenUrl] = [=] { return trouble; };
  SECTION("the old token is used as long as it is good, and the endpoint is left alone for a moment") {
    world.now += 3'600 - 20;
    for (int i = 0; i < 3; ++i) CHECK(world.call(*authorizer) == "200");
    CHECK(world.count("POST", kTokenUrl) == 2);
    world.now += auth::limits::kRenewalPauseS;
    CHECK(world.call(*authorizer) == "200");
    CHECK(world.count("POST", kTokenUrl) == 3);
  }
  SECTION("one that has expired fails the call") {
    world.now += 3'600;
    CHECK_THAT(world.call(*authorizer), Contains(kTokenUrl));
  }
  SECTION("so does one that is refused") {
    world.revoke_tokens();
    CHECK_THAT(world.call(*authorizer), Contains(kTokenUrl));
  }
  CHECK(refresh_token_of(world) == refresh_token);
  world.special.clear();
  world.now += 3'600;
  CHECK(world.call(*authorizer) == "200");
  CHECK(world.servers[0].authorizations.size() == 1);
}

TEST_CASE("of several processes with one refresh token one refreshes, and the others wait and take what it got") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  std::vector<std::unique_ptr<collet::client::Authorizer>> processes;
  for (int i = 0; i < 5; ++i) {
    processes.push_back(world.authorizer());
    REQUIRE(world.call(*processes.back()) == "200");
  }
  world.now += 4'000;
  std::vector<std::string> given;
  for (const auto& process : processes) {
    process->headers("POST", world.url,
                     [&](auto headers) { given.push_back(headers ? (*headers)[0].value : headers.message()); });
  }
  world.run();
  REQUIRE(given.size() == 5);
  for (const std::string& each : given) CHECK(each == given[0]);
  CHECK(world.servers[0].token_requests.size() == 2);
  CHECK(world.servers[0].authorizations.size() == 1);
}

TEST_CASE("a process that was idle for long refreshes with the refresh token that is still good") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  const auto idle = world.authorizer(), busy = world.authorizer();
  REQUIRE(world.call(*idle) == "200");
  REQUIRE(world.call(*busy) == "200");
  world.now += 4'000;
  REQUIRE(world.call(*busy) == "200");
  world.now += 4'000;  // what the busy one got is old as well
  CHECK(world.call(*idle) == "200");
  CHECK(world.servers[0].authorizations.size() == 1);
}

TEST_CASE("who renews one remote's token holds up no other remote") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  std::optional<Result<TokenStore::LockPtr>> held;
  world.store.lock("another", [&](auto lock) { held.emplace(std::move(lock)); });
  world.run();
  REQUIRE((held && *held));
  world.now += 4'000;
  CHECK(world.call(*authorizer) == "200");
  world.store.lock("demo", [&](auto lock) { held.emplace(std::move(lock)); });
  world.run();
  world.now += 4'000;
  std::optional<Result<Headers>> headers;
  authorizer->headers("POST", world.url, [&](auto result) { headers = std::move(result); });
  world.run();
  CHECK_FALSE(headers);  // another process renews it
  held.reset();
  world.run();
  CHECK((headers && *headers));
}

TEST_CASE("who has logged out is not logged in again by a service that renews its token") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  NoUserAgent nobody("demo");
  REQUIRE(world.call(*world.authorizer()) == "200");
  const auto service = world.authorizer("{}", &nobody);
  REQUIRE(world.call(*service) == "200");
  REQUIRE(world.outcome([&](auto done) { world.store.forget("demo", done); }));
  world.now += 4'000;
  CHECK_THAT(world.call(*service), Contains("run: collet login demo"));
  CHECK_FALSE(world.kept_token());
}

TEST_CASE(
    "a token is renewed also where nothing can be written, and the old one that is kept is not taken for newer") {
  World world(Kept::in_file);
  world.servers[0].issues_refresh_tokens = true;
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  for (const char* name : {"tokens.json.demo.lock", "tokens.json.new"}) {  // which a file was to be called
    ::unlink(world.directory.path(name).c_str());
    REQUIRE(::mkdir(world.directory.path(name).c_str(), 0700) == 0);
  }
  for (int i = 0; i < 3; ++i) {
    world.now += auth::limits::kAuthorizationWindowS;
    world.revoke_tokens();  // long before any of them expires
    CHECK(world.call(*authorizer) == "200");
  }
  CHECK(world.servers[0].authorizations.size() == 1);
  CHECK(world.warnings.size() == 3);
  REQUIRE(::rmdir(world.directory.path("tokens.json.new").c_str()) == 0);
  world.revoke_tokens();
  REQUIRE(world.call(*world.authorizer(R"({"client_id":"","scopes":["anew"]})")) == "200");  // collet login
  world.now += 4'000;
  CHECK(world.call(*authorizer) == "200");
}
