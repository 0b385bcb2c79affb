// A store that answers late: what happens meanwhile, and what its answers then mean.
#include "client/auth/limits.h"
#include "plugins/client/auth/world.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;
using Headers = std::vector<HttpHeader>;

namespace {

StoredToken token_of(World& world, const std::string& access) {
  StoredToken token;
  token.remote = "demo";
  token.issuer = "https://as.example";
  token.resource = world.resource;
  token.client_id = "registered-client";
  token.access_token = access;
  token.token_type = "bearer";
  return token;
}

}  // namespace

TEST_CASE("an authorizer may be destroyed before any of the answers that it waits for") {
  bool refused = false;
  for (int steps = 0; !refused; ++steps) {
    World world(Kept::in_memory);
    world.servers[0].issues_refresh_tokens = true;
    REQUIRE(world.call(*world.authorizer()) == "200");
    world.revoke_tokens();
    auto authorizer = world.authorizer();
    bool told = false;
    authorizer->challenged(401, world.serve("x", {}).headers, [&](const Result<bool>&) { told = true; });
    for (int i = 0; i < steps && !told; ++i) world.step();
    refused = told;
    authorizer.reset();
    told = false;
    world.run();
    CHECK_FALSE(told);
    CHECK(world.memory.questions() == 0);  // also no lock that nobody gives back
    world.revoke_tokens();
    CHECK(world.call(*world.authorizer()) == "200");
  }
}

TEST_CASE("a login that is destroyed before the store has answered registers no client") {
  World world(Kept::in_memory);
  auto authorizer = world.authorizer();
  bool told = false;
  authorizer->challenged(401, world.serve("x", {}).headers, [&](const Result<bool>&) { told = true; });
  while (world.count("GET", "https://as.example/.well-known/oauth-authorization-server") == 0) REQUIRE(world.step());
  REQUIRE(world.step());
  REQUIRE(world.memory.answer());  // where people were sent back to before
  REQUIRE(world.memory.questions() == 1);  // which client we are
  authorizer.reset();
  world.run();
  CHECK_FALSE(told);
  CHECK(world.servers[0].registrations.empty());
}

TEST_CASE("the store is asked once for the token by all who wait for it") {
  World world(Kept::in_memory);
  REQUIRE(world.outcome([&](auto done) { world.store.keep(token_of(world, "kept"), done); }));
  const auto authorizer = world.authorizer();
  std::vector<std::string> given;
  for (int i = 0; i < 3; ++i) {
    authorizer->headers("POST", world.url, [&](const Result<Headers>& headers) {
      given.push_back(headers ? headers->at(0).value : headers.message());
    });
  }
  CHECK(given.empty());
  CHECK(world.memory.questions() == 1);
  world.run();
  CHECK(given == std::vector<std::string>(3, "Bearer kept"));
}

TEST_CASE("what the store had before a token was renewed is not taken for newer") {
  World world(Kept::in_memory);
  world.servers[0].issues_refresh_tokens = true;
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  const std::string before = world.kept_token()->access_token;
  world.revoke_tokens();
  const std::vector<HttpHeader> challenge = world.serve("x", {}).headers;
  int retries = 0;
  const auto note = [&](const Result<bool>& again) { retries += again && *again; };
  authorizer->challenged(401, challenge, note);
  SECTION("by whoever asks when the store does not have the next one yet") {
    while (world.servers[0].token_requests.size() < 2) REQUIRE(world.step());
    REQUIRE(world.memory.questions() == 1);
    authorizer->challenged(401, challenge, note);
  }
  SECTION("by whoever has asked before") {
    authorizer->challenged(401, challenge, note);
    world.memory.hold_last();
    world.run();
    REQUIRE(retries == 1);
    world.memory.release();
  }
  world.run();
  CHECK(retries == 2);
  std::optional<Result<Headers>> headers;
  authorizer->headers("POST", world.url, [&](auto result) { headers = std::move(result); });
  REQUIRE((headers && *headers));
  CHECK((*headers)->at(0).value == "Bearer " + world.kept_token()->access_token);
  CHECK(world.kept_token()->access_token != before);
  CHECK(world.servers[0].token_requests.size() == 2);
}
