// The authorization scenarios of the official conformance suite, by their names there, each with what it must not
// let through.
#include "client/auth/signing_key.h"
#include "plugins/client/auth/verified_jwt.h"
#include "plugins/client/auth/world.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;
using Catch::Contains;

namespace {

std::string scope_of(const Form& form) { return find(form, "scope") ? field(form, "scope") : "none"; }

}  // namespace

TEST_CASE("metadata-default: the document that the challenge names is read, and no other") {
  World world;
  const auto authorizer = world.authorizer();
  CHECK(world.call(*authorizer) == "200");
  CHECK(world.count("GET", "https://mcp.example/.well-known/oauth-protected-resource/mcp") == 1);
  CHECK(world.count("GET", "https://mcp.example/.well-known/oauth-protected-resource") == 0);
  CHECK(world.count("GET", "https://as.example/.well-known/oauth-authorization-server") == 1);
  REQUIRE(world.servers[0].registrations.size() == 1);
  CHECK(world.call(*authorizer) == "200");
  CHECK(world.servers[0].authorizations.size() == 1);
}

TEST_CASE("metadata-var1: without a named document the path is tried, and OpenID's metadata after OAuth's") {
  World world;
  world.names_prm = false;
  world.servers[0].metadata_path = "/.well-known/openid-configuration";
  CHECK(world.call(*world.authorizer()) == "200");
}

TEST_CASE("metadata-var2: the root document, its resource to the letter, and an issuer with a path") {
  World world;
  world.names_prm = false;
  world.prm_path = "/.well-known/oauth-protected-resource";
  world.resource = "https://mcp.example";
  world.servers[0].prefix = "/tenant1";
  world.servers[0].metadata_path = "/.well-known/oauth-authorization-server/tenant1";
  CHECK(world.call(*world.authorizer()) == "200");
  CHECK(field(world.servers[0].authorizations[0], "resource") == "https://mcp.example");
  CHECK(field(world.servers[0].token_requests[0], "resource") == "https://mcp.example");
  CHECK(world.count("GET", "https://as.example/.well-known/oauth-authorization-server") == 0);
}

TEST_CASE("metadata-var3: a document anywhere, and OpenID's metadata after the issuer's path") {
  World world;
  world.prm_path = "/custom/metadata/location.json";
  world.servers[0].prefix = "/tenant1";
  world.servers[0].metadata_path = "/tenant1/.well-known/openid-configuration";
  CHECK(world.call(*world.authorizer()) == "200");
  CHECK(world.count("GET", "https://as.example/.well-known/oauth-authorization-server") == 0);
  CHECK(world.count("GET", "https://as.example/.well-known/openid-configuration/tenant1") == 1);
}

TEST_CASE("2025-03-26-oauth-metadata-backcompat: a server without a document is its own authorization server") {
  World world;
  world.names_prm = false;
  world.prm_path = "";
  world.servers[0].origin = "https://mcp.example";
  CHECK(world.call(*world.authorizer()) == "200");
  CHECK(field(world.servers[0].authorizations[0], "resource") == "https://mcp.example/mcp");
}

TEST_CASE("basic-cimd: the URL of our metadata document is the client id, if the server takes such") {
  World world;
  const auto config = R"({"client_metadata_url":"https://conformance-test.local/client-metadata.json"})";
  SECTION("it does") {
    world.servers[0].client_id_documents = true;
    CHECK(world.call(*world.authorizer(config)) == "200");
    CHECK(field(world.servers[0].authorizations[0], "client_id") ==
          "https://conformance-test.local/client-metadata.json");
    CHECK(world.servers[0].registrations.empty());
  }
  SECTION("it does not: we register") {
    CHECK(world.call(*world.authorizer(config)) == "200");
    CHECK(field(world.servers[0].authorizations[0], "client_id") == "registered-client");
  }
}

TEST_CASE("pre-registration: a configured client proves itself with Basic") {
  World world;
  world.servers[0].registers = false;
  world.servers[0].auth_methods = {"client_secret_basic"};
  world.servers[0].check_token_request = [](const Form& form, const FetchRequest& request) {
    // base64 of "pre-registered-client:a%3Asecret"
    CHECK(header(request.headers, "Authorization") == "Basic cHJlLXJlZ2lzdGVyZWQtY2xpZW50OmElM0FzZWNyZXQ=");
    CHECK_FALSE(find(form, "client_secret"));
  };
  CHECK(world.call(*world.authorizer(R"({"client_id":"pre-registered-client","client_secret":"a:secret"})")) ==
        "200");
  CHECK(world.servers[0].token_requests.size() == 1);
}

TEST_CASE("token-endpoint-auth-basic, -post, -none: the method that the registration was given is used") {
  World world;
  AuthorizationServer& server = world.servers[0];
  SECTION("basic") {
    server.auth_methods = {"client_secret_basic"};
    server.check_token_request = [](const Form& form, const FetchRequest& request) {
      CHECK_THAT(header(request.headers, "Authorization"), Catch::StartsWith("Basic "));
      CHECK_FALSE(find(form, "client_secret"));
    };
  }
  SECTION("post") {
    server.auth_methods = {"client_secret_post"};
    server.check_token_request = [](const Form& form, const FetchRequest& request) {
      CHECK(header(request.headers, "Authorization").empty());
      CHECK(field(form, "client_secret") == "registered secret");
    };
  }
  SECTION("none") {
    server.check_token_request = [](const Form& form, const FetchRequest& request) {
      CHECK(header(request.headers, "Authorization").empty());
      CHECK_FALSE(find(form, "client_secret"));
      CHECK(field(form, "client_id") == "registered-client");
    };
  }
  CHECK(world.call(*world.authorizer()) == "200");
  CHECK(server.registrations[0]["token_endpoint_auth_method"] == server.auth_methods[0]);
  CHECK(server.registrations[0]["application_type"] == "native");
  CHECK(server.registrations[0]["grant_types"] == R"(["authorization_code","refresh_token"])");
}

TEST_CASE("scope-from-www-authenticate, -from-scopes-supported, -omitted-when-undefined") {
  World world;
  SECTION("the challenge's, whatever the document says") {
    world.challenge_scope = "mcp:basic";
    world.resource_scopes = R"(["mcp:other"])";
    CHECK(world.call(*world.authorizer()) == "200");
    CHECK(scope_of(world.servers[0].authorizations[0]) == "mcp:basic");
  }
  SECTION("else all of the document's") {
    world.resource_scopes = R"(["mcp:basic","mcp:read","mcp:write"])";
    CHECK(world.call(*world.authorizer()) == "200");
    CHECK(scope_of(world.servers[0].authorizations[0]) == "mcp:basic mcp:read mcp:write");
  }
  SECTION("else none") {
    CHECK(world.call(*world.authorizer()) == "200");
    CHECK(scope_of(world.servers[0].authorizations[0]) == "none");
  }
}

TEST_CASE("scope-step-up: what was asked for before, and what is missing") {
  World world;
  world.challenge_scope = "mcp:basic";
  world.resource_scopes = R"(["mcp:profile"])";
  world.needed_scope["tools/call"] = "mcp:write";
  const auto authorizer = world.authorizer();
  CHECK(world.call(*authorizer, "tools/list") == "200");
  CHECK(world.call(*authorizer, "tools/call") == "200");
  REQUIRE(world.servers[0].authorizations.size() == 2);
  CHECK(scope_of(world.servers[0].authorizations[1]) == "mcp:basic mcp:write");
}

TEST_CASE("scope-retry-limit: three authorizations, then the call fails, and a minute later there may be more") {
  World world;
  world.challenge_scope = "mcp:admin";
  world.needed_scope["tools/list"] = "mcp:never";
  world.servers[0].check_token_request = [&](const Form&, const FetchRequest&) { world.servers[0].refuse.clear(); };
  const auto authorizer = world.authorizer();
  // The server of this scenario issues tokens that never have the scope.
  world.special["https://as.example/token"] = [&] {
    return FetchResponse{200, {}, R"({"access_token":"powerless","token_type":"Bearer"})"};
  };
  const auto refuse = [&] {
    return std::vector<HttpHeader>{{"WWW-Authenticate", R"(Bearer error="insufficient_scope", scope="mcp:admin")"}};
  };
  const auto challenge = [&] {
    std::string outcome;
    authorizer->challenged(403, refuse(), [&](Result<bool> again) { outcome = again ? "again" : again.message(); });
    world.run();
    return outcome;
  };
  for (int i = 0; i < 3; ++i) CHECK(challenge() == "again");
  CHECK_THAT(challenge(), Contains("3 authorizations") && Contains("mcp:admin"));
  CHECK(world.servers[0].authorizations.size() == 3);
  world.now += 60;
  CHECK(challenge() == "again");
}

TEST_CASE("a server that refuses every token does not keep us busy") {
  World world;
  world.refuses_all = true;
  world.servers[0].issues_refresh_tokens = true;
  CHECK_THAT(world.call(*world.authorizer(), "tools/list", 100), Contains("3 authorizations within 60 s"));
  CHECK(world.servers[0].token_requests.size() == 3);
}

TEST_CASE("offline-access-scope, -not-supported: asked for exactly if the authorization server has it") {
  World world;
  world.resource_scopes = R"(["mcp:basic","offline_access"])";
  SECTION("it has") {
    world.servers[0].scopes_supported = {"mcp:basic", "offline_access"};
    CHECK(world.call(*world.authorizer()) == "200");
    CHECK(scope_of(world.servers[0].authorizations[0]) == "mcp:basic offline_access");
    CHECK(field(world.servers[0].authorizations[0], "prompt") == "consent");
  }
  SECTION("it has not, whatever the resource says") {
    world.servers[0].scopes_supported = {"mcp:basic", "mcp:read"};
    CHECK(world.call(*world.authorizer()) == "200");
    CHECK(scope_of(world.servers[0].authorizations[0]) == "mcp:basic");
    CHECK_FALSE(find(world.servers[0].authorizations[0], "prompt"));
  }
}

TEST_CASE("resource-mismatch: metadata for another resource is read and refused") {
  World world;
  world.resource = GENERATE("https://evil.example.com/mcp", "https://mcp.example/mcp2", "https://mcp.example/mcp/x",
                            "http://mcp.example/mcp", "https://mcp.example:8443/mcp", "nonsense");
  CHECK_THAT(world.call(*world.authorizer()), Contains("is for '" + world.resource + "'"));
  CHECK(world.count("GET", "https://mcp.example/.well-known/oauth-protected-resource/mcp") == 1);
  CHECK(world.servers[0].registrations.empty());
  CHECK(world.servers[0].authorizations.empty());
}

TEST_CASE("metadata-issuer-mismatch: metadata of another issuer is read and refused") {
  World world;
  world.servers[0].metadata_issuer =
      GENERATE("https://attacker.example", "https://as.example/", "HTTPS://as.example");
  CHECK_THAT(world.call(*world.authorizer()), Contains("to the letter"));
  CHECK(world.count("GET", "https://as.example/.well-known/oauth-authorization-server") == 1);
  CHECK(world.servers[0].registrations.empty());
  CHECK(world.servers[0].authorizations.empty());
}

TEST_CASE("iss-supported, -not-advertised: a right issuer, or none where none was promised, is accepted") {
  World world;
  SECTION("supported") {}
  SECTION("not advertised and not sent") {
    world.servers[0].promises_iss.reset();
    world.servers[0].iss.reset();
  }
  SECTION("not advertised but sent, and right") { world.servers[0].promises_iss.reset(); }
  CHECK(world.call(*world.authorizer()) == "200");
}

TEST_CASE("iss-supported-missing, -wrong-issuer, -unexpected, -normalized: no code reaches the token endpoint") {
  World world;
  AuthorizationServer& server = world.servers[0];
  std::string why = "not of 'https://as.example'";
  SECTION("promised and missing") {
    server.iss.reset();
    why = "lacks the issuer";
  }
  SECTION("wrong") { server.iss = "https://evil.example.com"; }
  SECTION("wrong where none was promised") {
    server.promises_iss.reset();
    server.iss = "https://evil.example.com";
  }
  SECTION("equal only after normalization") { server.iss = "https://as.example/"; }
  CHECK_THAT(world.call(*world.authorizer()), Contains(why));
  CHECK(server.authorizations.size() == 1);
  CHECK(server.token_requests.empty());
}

TEST_CASE("authorization-server-migration: a new server is asked anew, and sees nothing of the old one") {
  World world;
  world.challenge_scope = "mcp:basic";
  world.servers.resize(2);
  world.servers[0].registered_id = "client-of-the-first";
  world.servers[0].issues_refresh_tokens = true;
  world.servers[1].origin = "https://second.example";
  world.servers[1].registered_id = "client-of-the-second";
  const auto authorizer = world.authorizer();
  CHECK(world.call(*authorizer) == "200");
  world.named_server = 1;
  world.revoke_tokens();
  CHECK(world.call(*authorizer) == "200");
  CHECK(world.servers[1].registrations.size() == 1);
  CHECK(field(world.servers[1].authorizations[0], "client_id") == "client-of-the-second");
  for (const FetchRequest& request : world.requests) {
    if (request.url.find("second.example") == request.url.npos) continue;
    CHECK(request.body.find("client-of-the-first") == request.body.npos);
    CHECK(request.body.find("refresh-") == request.body.npos);
  }
  world.named_server = 0;  // and back: the first registration is still good
  world.revoke_tokens();
  CHECK(world.call(*authorizer) == "200");
  CHECK(world.servers[0].registrations.size() == 1);
}

TEST_CASE(
    "authorization-server-migration: a refresh token stays with its issuer, though the client id is the same") {
  World world;
  world.servers.resize(2);
  world.servers[0].issues_refresh_tokens = true;
  world.servers[0].client_id_documents = world.servers[1].client_id_documents = true;
  world.servers[1].origin = "https://second.example";
  const auto authorizer = world.authorizer(R"({"client_metadata_url":"https://us.example/client.json"})");
  CHECK(world.call(*authorizer) == "200");
  world.named_server = 1;
  world.revoke_tokens();
  CHECK(world.call(*authorizer) == "200");
  REQUIRE(world.servers[1].token_requests.size() == 1);
  CHECK(field(world.servers[1].token_requests[0], "grant_type") == "authorization_code");
}

TEST_CASE("a configured client is not taken to another authorization server than it was used with") {
  World world;
  world.servers.resize(2);
  world.servers[1].origin = "https://second.example";
  const auto authorizer = world.authorizer(R"({"client_id":"mine"})");
  CHECK(world.call(*authorizer) == "200");
  world.named_server = 1;
  world.revoke_tokens();
  CHECK_THAT(world.call(*authorizer), Contains("has changed from https://as.example to https://second.example"));
  CHECK(world.servers[1].authorizations.empty());
}

TEST_CASE("client-credentials-jwt: the assertion is signed, and for the issuer") {
  World world;
  world.challenge_scope = "mcp:basic";
  world.servers[0].registers = false;
  world.servers[0].auth_methods = {"private_key_jwt"};
  const SigningKey key = SigningKey::generate();
  const std::string jwk = key.public_jwk();
  world.servers[0].check_token_request = [&](const Form& form, const FetchRequest&) {
    CHECK(field(form, "grant_type") == "client_credentials");
    CHECK(field(form, "client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    Jwt jwt = verified_jwt(field(form, "client_assertion"), jwk);
    CHECK(jwt.header["alg"] == "ES256");
    CHECK(jwt.claims["iss"] == "conformance-test-client");
    CHECK(jwt.claims["sub"] == "conformance-test-client");
    CHECK(jwt.claims["aud"] == "https://as.example");
    CHECK(jwt.claims["iat"] == "1700000000");
    CHECK(jwt.claims["exp"] == "1700000120");
    CHECK(jwt.claims["jti"].size() >= 16);
    CHECK(field(form, "scope") == "mcp:basic");
    CHECK(field(form, "resource") == "https://mcp.example/mcp");
  };
  world.directory.put("key.pem", key.pem());
  const auto authorizer = world.authorizer(R"({"type":"client_credentials","client_id":"conformance-test-client",)"
                                           R"("signing_algorithm":"ES256","private_key_file":")" +
                                           world.directory.path("key.pem") + "\"}");
  CHECK(world.call(*authorizer) == "200");
  CHECK(world.servers[0].token_requests.size() == 1);
  CHECK(world.servers[0].authorizations.empty());
}

TEST_CASE("client-credentials-basic") {
  World world;
  world.servers[0].auth_methods = {"client_secret_basic"};
  world.servers[0].check_token_request = [](const Form& form, const FetchRequest& request) {
    CHECK(field(form, "grant_type") == "client_credentials");
    CHECK(header(request.headers, "Authorization") ==
          "Basic Y29uZm9ybWFuY2UtdGVzdC1jbGllbnQ6Y29uZm9ybWFuY2UtdGVzdC1zZWNyZXQ=");
  };
  CHECK(world.call(*world.authorizer(R"({"type":"client_credentials","client_id":"conformance-test-client",)"
                                     R"("client_secret":"conformance-test-secret"})")) == "200");
  CHECK(world.servers[0].token_requests.size() == 1);
}

TEST_CASE("enterprise-managed-authorization: the ID token becomes a grant, and the grant a token") {
  World world;
  world.challenge_scope = "mcp:basic";
  world.servers[0].auth_methods = {"client_secret_basic"};
  world.servers[0].check_token_request = [](const Form& form, const FetchRequest& request) {
    CHECK(field(form, "grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer");
    CHECK(field(form, "assertion") == "the-id-jag");
    CHECK_THAT(header(request.headers, "Authorization"), Catch::StartsWith("Basic "));
  };
  const auto authorizer = world.authorizer(
      R"({"type":"enterprise","client_id":"c","client_secret":"s","id_token":"the.id.token","idp_client_id":"at-idp",)"
      R"("idp_token_endpoint":"https://idp.example/token"})");
  CHECK(world.call(*authorizer) == "200");
  REQUIRE(world.exchanges.size() == 1);
  const Form& exchange = world.exchanges[0];
  CHECK(field(exchange, "grant_type") == "urn:ietf:params:oauth:grant-type:token-exchange");
  CHECK(field(exchange, "requested_token_type") == "urn:ietf:params:oauth:token-type:id-jag");
  CHECK(field(exchange, "subject_token_type") == "urn:ietf:params:oauth:token-type:id_token");
  CHECK(field(exchange, "subject_token") == "the.id.token");
  CHECK(field(exchange, "audience") == "https://as.example");
  CHECK(field(exchange, "resource") == "https://mcp.example/mcp");
  CHECK(field(exchange, "client_id") == "at-idp");
  CHECK(world.servers[0].token_requests.size() == 1);
}

TEST_CASE("enterprise-managed-authorization: another kind of token is no grant") {
  World world;
  world.identity_issues = "urn:ietf:params:oauth:token-type:access_token";
  const auto authorizer =
      world.authorizer(R"({"type":"enterprise","client_id":"c","client_secret":"s","id_token":"t",)"
                       R"("idp_token_endpoint":"https://idp.example/token"})");
  CHECK_THAT(world.call(*authorizer), Contains("instead of urn:ietf:params:oauth:token-type:id-jag"));
  CHECK(world.servers[0].token_requests.empty());
}

TEST_CASE("wif-jwt-bearer: the workload's token is the assertion, and a refusal is final") {
  World world;
  world.servers[0].registers = false;
  world.directory.put("token", "the.workload.jwt\n");
  const auto authorizer = world.authorizer(R"({"type":"workload_identity","client_id":"conformance-wif-workload",)"
                                           R"("token_file":")" +
                                           world.directory.path("token") + "\"}");
  SECTION("accepted") {
    CHECK(world.call(*authorizer) == "200");
    const Form& form = world.servers[0].token_requests.at(0);
    CHECK(field(form, "grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer");
    CHECK(field(form, "assertion") == "the.workload.jwt");
    CHECK(field(form, "client_id") == "conformance-wif-workload");
  }
  SECTION("refused") {
    world.servers[0].refuse = GENERATE("invalid_grant", "invalid_scope", "unauthorized_client");
    CHECK_THAT(world.call(*authorizer), Contains(world.servers[0].refuse + ": so be it"));
    CHECK(world.servers[0].token_requests.size() == 1);
  }
}

TEST_CASE("dpop, dpop-nonce: a bound token, a fresh proof for each request, and the nonces that servers demand") {
  World world;
  world.challenge_scheme = "DPoP";
  world.servers[0].dpop_algorithms = {"ES256"};
  SECTION("without nonces") {}
  SECTION("with nonces") {
    world.servers[0].dpop_nonce = "nonce-of-as";
    world.server_nonce = "nonce-of-rs";
  }
  const auto authorizer = world.authorizer();
  CHECK(world.call(*authorizer) == "200");
  CHECK(world.call(*authorizer) == "200");
  CHECK(world.servers[0].authorizations.size() == 1);
  CHECK(world.proofs_seen.size() >= 3);
  world.server_nonce = "another";  // servers change them as they like
  CHECK(world.call(*authorizer) == "200");
}
