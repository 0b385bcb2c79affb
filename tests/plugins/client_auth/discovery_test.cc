#include "client/auth/discovery.h"

#include "client/auth/limits.h"
#include "plugins/client_auth/world.h"
#include "support/catch.h"

using namespace collet::client::auth;
using Catch::Contains;

namespace {

const std::string kDocument = "https://mcp.example/.well-known/oauth-protected-resource/mcp";
const std::string kRootDocument = "https://mcp.example/.well-known/oauth-protected-resource";
const std::string kMetadata = "https://as.example/.well-known/oauth-authorization-server";

std::string resource(World& world, std::string_view named = {}) {
  std::optional<Result<std::optional<ResourceMetadata>>> found;
  discover_resource(world, *parse_url(world.url), named, [&](auto result) { found = std::move(result); });
  world.run();
  REQUIRE(found);
  if (!*found) return found->message();
  return **found ? (**found)->resource : "none";
}

std::string server(World& world, std::string_view issuer = "https://as.example") {
  std::optional<Result<ServerMetadata>> found;
  discover_server(world, *parse_url(world.url), issuer, [&](auto result) { found = std::move(result); });
  world.run();
  REQUIRE(found);
  return *found ? (*found)->token_endpoint : found->message();
}

std::function<FetchResponse()> redirect(std::string where) {
  return [=] { return FetchResponse{307, {{"Location", where}}, ""}; };
}

std::function<FetchResponse()> body(std::string text) {
  return [=] { return FetchResponse{200, {}, text}; };
}

}  // namespace

TEST_CASE("the path's document, then the root's, then none") {
  World world;
  CHECK(resource(world) == "https://mcp.example/mcp");
  CHECK(world.count("GET", kRootDocument) == 0);
  world.prm_path = "/.well-known/oauth-protected-resource";
  CHECK(resource(world) == "https://mcp.example/mcp");
  world.prm_path = "";
  CHECK(resource(world) == "none");
}

TEST_CASE("a document that was named has to be there, and where it may be trusted") {
  World world;
  CHECK_THAT(resource(world, "https://mcp.example/gone"), Contains("but there is none"));
  world.requests.clear();
  CHECK_THAT(resource(world, "http://mcp.example/doc"), Contains("must be https"));
  CHECK_THAT(resource(world, "https://localhost/doc"), Contains("points at this machine"));
  CHECK_THAT(resource(world, "http://169.254.169.254/latest"), Contains("must be https"));
  CHECK(world.requests.empty());
}

TEST_CASE("a document that cannot be read is not taken for one that is missing") {
  World world;
  SECTION("no answer") {
    world.broken[kDocument] = "connection refused";
    CHECK_THAT(resource(world), Contains(kDocument) && Contains("connection refused"));
  }
  SECTION("an error of the server") {
    world.special[kDocument] = [] { return FetchResponse{503, {}, ""}; };
    CHECK_THAT(resource(world), Contains("answered 503"));
  }
  SECTION("garbage") {
    world.special[kDocument] = body("<html>");
    CHECK_THAT(resource(world), Contains(kDocument) && Contains("not valid JSON"));
  }
  SECTION("wrong types") {
    world.special[kDocument] = body(R"({"resource":7})");
    CHECK_THAT(resource(world), Contains("/resource: expected string"));
  }
  SECTION("no authorization server") {
    world.special[kDocument] = body(R"({"resource":"https://mcp.example/mcp","authorization_servers":[]})");
    CHECK_THAT(resource(world), Contains("names no authorization server"));
  }
  CHECK(world.count("GET", kRootDocument) == 0);
}

TEST_CASE("a document of the largest size is read, and one that is larger is not") {
  World world;
  const std::string start = R"({"resource":"https://mcp.example/mcp","authorization_servers":["https://as"],"x":")";
  const std::string fits = start + std::string(limits::kDocumentBytesMax - start.size() - 2, 'x') + "\"}";
  world.special[kDocument] = body(fits);
  CHECK(resource(world) == "https://mcp.example/mcp");
  world.special[kDocument] = body(fits + " ");
  CHECK_THAT(resource(world), Contains("larger than"));
}

TEST_CASE("arrays of documents are bounded") {
  World world;
  const auto with = [&](std::size_t count) {
    std::string list = "\"https://as\"";
    for (std::size_t i = 1; i < count; ++i) list += ",\"https://as\"";
    world.special[kDocument] =
        body(R"({"resource":"https://mcp.example/mcp","authorization_servers":[)" + list + "]}");
    return resource(world);
  };
  CHECK(with(limits::kListItemsMax) == "https://mcp.example/mcp");
  CHECK_THAT(with(limits::kListItemsMax + 1), Contains("has more than 1000 elements"));
}

TEST_CASE("redirects are followed within an origin, and not for ever") {
  World world;
  SECTION("as many as the limit") {
    std::string at = kDocument;
    for (unsigned i = 1; i < limits::kRedirectsMax; ++i) {
      world.special[at] = redirect("https://mcp.example/r" + std::to_string(i));
      at = "https://mcp.example/r" + std::to_string(i);
    }
    world.special[at] = redirect("/.well-known/there");
    world.special["https://mcp.example/.well-known/there"] =
        body(R"({"resource":"https://mcp.example","authorization_servers":["https://as"]})");
    CHECK(resource(world) == "https://mcp.example");
  }
  SECTION("one more") {
    world.special[kDocument] = redirect(kDocument);
    CHECK_THAT(resource(world), Contains("more than 3 redirects"));
    CHECK(world.count("GET", kDocument) == limits::kRedirectsMax + 1);
  }
  SECTION("elsewhere") {
    const std::string target = GENERATE("https://evil.example/x", "http://mcp.example/x", "//evil.example/x", "");
    world.special[kDocument] = redirect(target);
    CHECK_THAT(resource(world), Contains("leaves its origin"));
    CHECK(world.requests.size() == 1);
  }
}

TEST_CASE("the endpoints of an authorization server are trusted one by one") {
  World world;
  CHECK(server(world) == "https://as.example/token");
  const auto with = [&](const std::string& members) {
    world.special[kMetadata] = body("{\"issuer\":\"https://as.example\"" + members + "}");
    return server(world);
  };
  CHECK_THAT(with(R"(,"token_endpoint":"http://as.example/t")"), Contains("token endpoint") && Contains("https"));
  CHECK_THAT(with(R"(,"token_endpoint":"https://t","authorization_endpoint":"http://as.example/a")"),
             Contains("authorization endpoint"));
  CHECK_THAT(with(R"(,"token_endpoint":"https://t","authorization_endpoint":"javascript:x")"),
             Contains("not an absolute http or https URL"));
  CHECK_THAT(with(R"(,"token_endpoint":"https://t","registration_endpoint":"https://127.0.0.1/r")"),
             Contains("registration endpoint"));
  CHECK_THAT(with(""), Contains("has no token endpoint"));
  CHECK(with(R"(,"token_endpoint":"https://elsewhere.example/t")") == "https://elsewhere.example/t");
  CHECK_THAT(server(world, "http://as.example"), Contains("must be https"));
  CHECK_THAT(server(world, "https://none.example"), Contains("publishes no metadata"));
}
