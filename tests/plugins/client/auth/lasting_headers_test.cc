// What every request may carry until it is to be renewed.
#include "client/auth/oauth.h"

#include "plugins/client/auth/world.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;

namespace {

// "Bearer x until 60", counted from now; "nothing".
std::string lasting(const World& world, const collet::client::Authorizer& authorizer) {
  const auto given = authorizer.lasting_headers(world.url);
  if (!given) return "nothing";
  const std::string until = given->good_until == 0 ? "ever" : std::to_string(given->good_until - world.now);
  REQUIRE(given->headers.size() <= 1);
  return (given->headers.empty() ? "none" : given->headers[0].value) + " until " + until;
}

std::string bearer(World& world) { return "Bearer " + world.kept_token()->access_token; }

}  // namespace

TEST_CASE("nothing is needed until the server has asked for it, which is known once the store has answered") {
  World world;
  const auto authorizer = world.authorizer();
  CHECK(lasting(world, *authorizer) == "nothing");
  authorizer->headers("POST", world.url, [](const auto&) {});
  world.run();
  CHECK(lasting(world, *authorizer) == "none until ever");
  CHECK_FALSE(authorizer->lasting_headers("https://evil.example/mcp"));
  CHECK_FALSE(authorizer->lasting_headers("x"));
}

TEST_CASE("a bearer token is given until it is renewed, and then the next one") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  const std::string first = bearer(world);
  CHECK(lasting(world, *authorizer) == first + " until 3570");
  CHECK_FALSE(authorizer->lasting_headers("https://evil.example/mcp"));
  world.now += 3'569;
  CHECK(lasting(world, *authorizer) == first + " until 1");
  world.now += 1;
  CHECK(lasting(world, *authorizer) == "nothing");
  REQUIRE(world.call(*authorizer) == "200");
  CHECK(bearer(world) != first);
  CHECK(lasting(world, *authorizer) == bearer(world) + " until 3570");
}

TEST_CASE("a bearer token that nobody can renew is given until it expires, or for ever if it does not") {
  World world;
  const bool expires = GENERATE(true, false);
  world.servers[0].expires_in = expires ? 3'600 : 0;
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  world.now += 3'590;
  CHECK(lasting(world, *authorizer) == bearer(world) + " until " + (expires ? "10" : "ever"));
  REQUIRE(world.call(*authorizer) == "200");
  CHECK(world.servers[0].token_requests.size() == 1);
}

TEST_CASE("what needs a proof for each request does not last") {
  World world;
  world.servers[0].dpop_algorithms = {"ES256"};
  const auto authorizer = world.authorizer(R"({"dpop":true})");
  REQUIRE(world.call(*authorizer) == "200");
  CHECK(lasting(world, *authorizer) == "nothing");
}

TEST_CASE("nothing is given while the first token is on its way") {
  World world;
  const auto authorizer = world.authorizer();
  authorizer->headers("POST", world.url, [](const auto&) {});
  world.run();
  authorizer->challenged(401, {}, [](const auto&) {});
  while (!world.count("GET", world.servers[0].origin + world.servers[0].metadata_path) && world.step()) {
  }
  CHECK(lasting(world, *authorizer) == "nothing");
  world.run();
  CHECK(lasting(world, *authorizer) == bearer(world) + " until 3600");
}

TEST_CASE("who wants to know is told when there is another token, before those who wait for it") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  const auto authorizer = world.authorizer();
  std::vector<std::string> seen;
  world.changed = [&] { seen.push_back(lasting(world, *authorizer)); };
  REQUIRE(world.call(*authorizer) == "200");
  CHECK(seen == std::vector{bearer(world) + " until 3570"});
  world.now += 3'570;
  bool waited = true;
  authorizer->headers("POST", world.url, [&](const auto& given) {
    REQUIRE(given);
    waited = seen.size() == 2;
  });
  world.run();
  REQUIRE(waited);
  CHECK(seen.back() == bearer(world) + " until 3570");
}

TEST_CASE("a renewal that fails leaves the old token good for a moment, as long as it has not expired") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  const auto authorizer = world.authorizer();
  REQUIRE(world.call(*authorizer) == "200");
  std::vector<std::string> seen;
  world.changed = [&] { seen.push_back(lasting(world, *authorizer)); };
  world.special[kTokenUrl] = [] { return FetchResponse{503, {}, ""}; };
  world.now += 3'600 - 20;
  REQUIRE(world.call(*authorizer) == "200");
  REQUIRE(seen == std::vector{bearer(world) + " until 5"});
  world.now += 17;
  REQUIRE(world.call(*authorizer) == "200");
  CHECK(seen.back() == bearer(world) + " until 3");
  world.now += 3;
  CHECK(world.call(*authorizer) != "200");
  CHECK(lasting(world, *authorizer) == "nothing");
}

TEST_CASE("a token that another process has left is known as soon as ours is refused") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  const auto ours = world.authorizer(), others = world.authorizer();
  REQUIRE(world.call(*ours) == "200");
  const std::string old = bearer(world);
  world.revoke_tokens();
  REQUIRE(world.call(*others) == "200");
  std::vector<std::string> seen;
  world.changed = [&] { seen.push_back(lasting(world, *ours)); };
  CHECK(lasting(world, *ours) == old + " until 3570");
  REQUIRE(world.call(*ours) == "200");
  CHECK(seen == std::vector{bearer(world) + " until 3570"});
}
