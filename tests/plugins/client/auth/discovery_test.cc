#include "client/auth/discovery.h"

#include "client/auth/limits.h"
#include "plugins/client/auth/world.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;
using Catch::Contains;

namespace {

const std::string kDocument = "https://mcp.example/.well-known/oauth-protected-resource/mcp";
const std::string kRootDocument = "https://mcp.example/.well-known/oauth-protected-resource";
const std::string kMetadata = "https://as.example/.well-known/oauth-authorization-server";

std::string resource(World& world, std::vector<std::string> named = {}) {
  std::optional<Result<Description>> found;
  discover_resource(world, *parse_url(world.url), {}, std::move(named),
                    [&](auto result) { found = std::move(result); });
  world.run();
  REQUIRE(found);
  if (!*found) return found->message();
  return (*found)->metadata ? (*found)->metadata->resource : "none" + (*found)->trouble;
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

TEST_CASE("a well-known place that was named comes first, and the other one next") {
  World world;
  world.prm_path = "/.well-known/oauth-protected-resource";
  CHECK(resource(world, {kDocument}) == "https://mcp.example/mcp");
  world.requests.clear();
  CHECK(resource(world, {kRootDocument}) == "https://mcp.example/mcp");
  CHECK(world.count("GET", kDocument) == 0);
  world.prm_path = "";
  CHECK(resource(world, {kDocument}) == "none");
}

TEST_CASE("a document that was named has to be there, and where it may be trusted") {
  World world;
  CHECK_THAT(resource(world, {"https://mcp.example/gone"}), Contains("but there is none"));
  world.requests.clear();
  CHECK_THAT(resource(world, {"http://mcp.example/doc"}), Contains("must be https"));
  CHECK_THAT(resource(world, {"https://localhost/doc"}), Contains("points at this machine"));
  CHECK_THAT(resource(world, {"http://169.254.169.254/latest"}), Contains("must be https"));
  for (const char* address : {"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
                              "100.64.0.1", "[fe80::1]", "[fd00::1]", "[::ffff:10.0.0.1]"}) {
    CHECK_THAT(resource(world, {"https://" + std::string(address) + "/doc"}), Contains("private network"));
  }
  CHECK(world.requests.empty());
}

TEST_CASE("a server of a private network may name what is on one") {
  World world;
  world.url = "https://192.168.1.2/mcp";
  CHECK_THAT(resource(world, {"https://10.1.2.3/doc"}), Contains("but there is none"));
  world.url = "https://172.32.0.1/mcp";  // just past such a network
  CHECK_THAT(resource(world, {"https://10.1.2.3/doc"}), Contains("private network"));
}

TEST_CASE("a document that cannot be read is not taken for one that is missing") {
  World world;
  SECTION("no answer") {
    world.broken[kDocument] = "connection refused";
    CHECK_THAT(resource(world), Contains(kDocument) && Contains("connection refused"));
  }
  SECTION("garbage") {
    world.special[kDocument] = body("{<html>");
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

TEST_CASE("a place that answers with a page, or is in trouble, is passed over") {
  World world;
  const int status = GENERATE(200, 500, 503, 404);
  const auto page = [=] { return FetchResponse{status, {}, "\n<!doctype html><html>"}; };
  SECTION("of the resource") {
    world.prm_path = "/.well-known/oauth-protected-resource";
    world.special[kDocument] = page;
    CHECK(resource(world) == "https://mcp.example/mcp");
  }
  SECTION("of the resource, at every place: only trouble is told") {
    world.special[kDocument] = world.special[kRootDocument] = page;
    CHECK(resource(world) ==
          (status < 500 ? "none" : "nonereading " + kDocument + ": the server answered " + std::to_string(status)));
  }
  SECTION("of the authorization server") {
    world.servers[0].metadata_path = "/.well-known/openid-configuration";
    world.special[kMetadata] = page;
    CHECK(server(world) == "https://as.example/token");
  }
  SECTION("of the authorization server, at every place") {
    world.servers[0].metadata_path = "";
    world.special[kMetadata] = page;
    CHECK_THAT(server(world), Contains("publishes no metadata"));
    const std::string told = status < 500 ? "well-known places" : "the server answered " + std::to_string(status);
    CHECK_THAT(server(world), Catch::EndsWith(told));
  }
}

TEST_CASE("of several documents that were named the first good one counts, and the first failure is told") {
  World world;
  world.special["https://mcp.example/1"] = [] { return FetchResponse{500, {}, ""}; };
  world.special["https://mcp.example/2"] =
      body(R"({"resource":"https://evil.example","authorization_servers":["https://as"]})");
  CHECK(resource(world, {"http://mcp.example/0", "https://mcp.example/1", "https://mcp.example/2", kDocument}) ==
        "https://mcp.example/mcp");
  CHECK_THAT(resource(world, {"https://mcp.example/1", "https://mcp.example/2"}), Contains("answered 500"));
  CHECK_THAT(resource(world, {"https://mcp.example/2", "https://mcp.example/1"}),
             Contains("is for 'https://evil.example'"));
}

TEST_CASE("a member that is null is one that is not there") {
  World world;
  world.extra_prm =
      R"(,"scopes_supported":null,"bearer_methods_supported":null,"dpop_bound_access_tokens_required":null)";
  CHECK(resource(world) == "https://mcp.example/mcp");
  std::string nulls;
  for (const char* key :
       {"registration_endpoint", "scopes_supported", "token_endpoint_auth_methods_supported",
        "code_challenge_methods_supported", "dpop_signing_alg_values_supported",
        "authorization_response_iss_parameter_supported", "client_id_metadata_document_supported", "jwks_uri"}) {
    nulls += ",\"" + std::string(key) + "\":null";
  }
  const auto read =
      parse_server_metadata(R"({"issuer":"https://as","token_endpoint":"https://as/t")" + nulls + "}", "u");
  REQUIRE(read);
  CHECK(read->registration_endpoint.empty());
  CHECK(read->token_endpoint_auth_methods == std::vector<std::string>{"client_secret_basic"});
  CHECK_THAT(parse_resource_metadata(R"({"resource":null})", "u").message(), Contains("has no 'resource'"));
}

TEST_CASE("one where a list belongs is a list of one") {
  const auto resource = parse_resource_metadata(
      R"({"resource":"https://r","authorization_servers":"https://as","scopes_supported":"a b"})", "u");
  REQUIRE(resource);
  CHECK(resource->authorization_servers == std::vector<std::string>{"https://as"});
  CHECK(resource->scopes_supported == Scopes{"a", "b"});
}

TEST_CASE("the last slash of an issuer's path is no part of where its metadata is") {
  World world;
  world.servers[0].prefix = "/tenant/";
  world.servers[0].metadata_path = "/.well-known/oauth-authorization-server/tenant";
  CHECK(server(world, "https://as.example/tenant/") == "https://as.example/tenant//token");
}

TEST_CASE("a document of the largest size is read, and one that is larger is not") {
  World world;
  const std::string start = R"({"resource":"https://mcp.example/mcp","authorization_servers":["https://as"],"x":")";
  const std::string fits = start + std::string(auth::limits::kDocumentBytesMax - start.size() - 2, 'x') + "\"}";
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
  CHECK(with(auth::limits::kListItemsMax) == "https://mcp.example/mcp");
  CHECK_THAT(with(auth::limits::kListItemsMax + 1), Contains("has more than 1000 elements"));
}

TEST_CASE("redirects are followed within an origin, and not for ever") {
  World world;
  SECTION("as many as the limit") {
    std::string at = kDocument;
    for (unsigned i = 1; i < auth::limits::kRedirectsMax; ++i) {
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
    CHECK(world.count("GET", kDocument) == auth::limits::kRedirectsMax + 1);
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
