#include "client/auth/following_agent.h"

#include "client/auth/limits.h"
#include "plugins/client/auth/world.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;
using Catch::Contains;

namespace {

const std::string kHome = "http://127.0.0.1:3334/callback";
const std::string kStart = "https://as.example/start?state=s";

void redirect(World& world, const std::string& from, const std::string& to) {
  world.special[from] = [=] { return FetchResponse{302, {{"Location", to}}, ""}; };
}

std::string follow(World& world) {
  FollowingAgent agent(world);
  CHECK(*agent.redirect_uri({}, 0) == kHome);
  std::optional<Result<std::string>> result;
  agent.authorize(kStart, kHome, [&](auto r) { result = std::move(r); });
  world.run();
  REQUIRE(result);
  return *result ? **result : result->message();
}

}  // namespace

TEST_CASE("redirects are followed until one leads home, and home is never asked") {
  World world;
  redirect(world, kStart, "/consent");
  redirect(world, "https://as.example/consent", kHome + "?code=c&state=s");
  CHECK(follow(world) == "code=c&state=s");
  CHECK(world.requests.size() == 2);
}

TEST_CASE("redirects that lead nowhere end at the limit") {
  World world;
  std::string at = kStart;
  for (unsigned i = 0; i < auth::limits::kFollowedRedirectsMax; ++i) {
    const std::string next = "https://as.example/" + std::to_string(i);
    redirect(world, at, next);
    at = next;
  }
  SECTION("one below") {
    redirect(world, at, kHome + "?x");
    CHECK(follow(world) == "x");
  }
  SECTION("one above") {
    redirect(world, at, "https://as.example/more");
    CHECK_THAT(follow(world), Contains("more than 5 redirects"));
    CHECK(world.requests.size() == auth::limits::kFollowedRedirectsMax + 1);
  }
}

TEST_CASE("what only looks like home is not") {
  World world;
  redirect(world, kStart,
           GENERATE(as<std::string>{}, "http://127.0.0.1:3334/callback2?code=c", "http://127.0.0.1:3334/x?code=c",
                    "https://evil.example/callback?code=c", "//evil.example/"));
  CHECK_THAT(follow(world), Contains("neither ours nor its own"));
  CHECK(world.requests.size() == 1);
}

TEST_CASE("a page for a person is said to be one") {
  World world;
  world.special[kStart] = [] { return FetchResponse{200, {}, "<form>"}; };
  CHECK_THAT(follow(world), Contains("a person is needed"));
  world.special.clear();
  world.broken[kStart] = "refused";
  CHECK_THAT(follow(world), Contains("refused"));
}
