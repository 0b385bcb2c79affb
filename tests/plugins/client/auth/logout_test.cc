#include "plugins/client/auth/world.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;
using Catch::Contains;

namespace {

const std::string kRevocation = "https://as.example/revoke";

// What a person is told who logs out.
std::string log_out(World& world, std::string_view config = "{}") {
  std::optional<Result<std::string>> said;
  log_out(
      config, "demo", world.url, world, world.store, [&] { return world.now; },
      [&](Result<std::string> result) { said = std::move(result); });
  world.run();
  REQUIRE(said);
  return *said ? **said : said->message();
}

// The bodies of what came to the revocation endpoint.
std::vector<Form> revocations(const World& world) {
  std::vector<Form> out;
  for (const FetchRequest& request : world.requests) {
    if (request.url == kRevocation) out.push_back(*form_decode(request.body));
  }
  return out;
}

}  // namespace

TEST_CASE("who logs out has the server told, and nothing is left here") {
  World world;
  world.servers[0].extra_metadata = R"(,"revocation_endpoint":")" + kRevocation + "\"";
  world.special[kRevocation] = [] { return FetchResponse{200, {}, ""}; };
  const bool refreshable = GENERATE(true, false);
  world.servers[0].issues_refresh_tokens = refreshable;
  REQUIRE(world.call(*world.authorizer()) == "200");
  const StoredToken token = *world.kept_token();
  CHECK(log_out(world) == "Logged out of demo, also at https://as.example.");
  REQUIRE(revocations(world).size() == 1);
  const Form form = revocations(world)[0];
  CHECK(field(form, "token") == (refreshable ? token.refresh_token : token.access_token));
  CHECK(field(form, "token_type_hint") == (refreshable ? "refresh_token" : "access_token"));
  CHECK(field(form, "client_id") == "registered-client");
  CHECK_FALSE(world.kept_token());
  CHECK_FALSE(world.kept_client("https://as.example"));
  CHECK(log_out(world) == "Not logged in to demo.");
}

TEST_CASE("whatever the server does, who logs out is logged out here, and told the rest") {
  World world;
  world.servers[0].issues_refresh_tokens = true;
  REQUIRE(world.call(*world.authorizer()) == "200");
  std::string why;
  bool asked = false;
  SECTION("it has no place for that") { why = "no place"; }
  SECTION("it cannot be reached") {
    world.broken["https://as.example/.well-known/oauth-authorization-server"] = why = "connection refused";
  }
  SECTION("it has one where a token must not be sent") {
    world.servers[0].extra_metadata = R"(,"revocation_endpoint":"http://as.example/revoke")";
    why = "must be https";
  }
  SECTION("it refuses") {
    world.servers[0].extra_metadata = R"(,"revocation_endpoint":")" + kRevocation + "\"";
    world.special[kRevocation] = [] { return FetchResponse{503, {}, ""}; };
    why = "it answered 503";
    asked = true;
  }
  SECTION("it has the tokens of a client that we have forgotten") {
    world.servers[0].extra_metadata = R"(,"revocation_endpoint":")" + kRevocation + "\"";
    REQUIRE(
        world.outcome([&](auto done) { world.store.forget_client("https://as.example", "registered-client", done); }));
    why = "is not known any more";
  }
  CHECK_THAT(log_out(world), Contains("Logged out of demo. ") && Contains("was not told") && Contains(why));
  CHECK(revocations(world).size() == (asked ? 1 : 0));
  CHECK_FALSE(world.kept_token());
}
