#include "client/auth/config.h"

#include "client/auth/limits.h"
#include "plugins/temporary_directory.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;
using Catch::Contains;

namespace {

std::string refusal(std::string_view json) {
  const auto config = parse_config(json);
  return config ? "accepted" : config.message();
}

}  // namespace

TEST_CASE("a configuration without anything is OAuth by discovery") {
  const auto config = parse_config("{}");
  REQUIRE(config);
  CHECK(config->type == AuthType::oauth);
  CHECK(config->client_name == "Collet");
  CHECK_FALSE(config->dpop);
}

TEST_CASE("every key of the types is read") {
  const auto config = parse_config(
      R"({"type":"oauth","issuer":"https://as","client_id":"c","client_secret":"s","scopes":["a","b"],"dpop":true,)"
      R"("token_endpoint_auth_method":"client_secret_post","client_name":"n","redirect_port":8765,)"
      R"("client_metadata_url":"https://h/c.json"})");
  REQUIRE(config);
  CHECK(config->issuer == "https://as");
  CHECK(config->scopes == Scopes{"a", "b"});
  CHECK(config->dpop == true);
  CHECK(config->auth_method == AuthMethod::client_secret_post);
  CHECK(config->redirect_port == 8765);
  CHECK(refusal(R"({"type":"none"})") == "accepted");
  CHECK(refusal(R"({"type":"workload_identity","client_id":"c","token":"t"})") == "accepted");
}

TEST_CASE("what is wrong in a configuration is named by its key") {
  CHECK_THAT(refusal(R"({"clientid":"x"})"), Contains("/clientid: no such key"));
  CHECK_THAT(refusal(R"({"type":"magic"})"), Contains("auth.type: expected oauth") && Contains("'magic'"));
  CHECK_THAT(refusal(R"({"redirect_port":70000})"), Contains("/redirect_port: must be at most 65535"));
  CHECK_THAT(refusal(R"({"scopes":"a b"})"), Contains("/scopes: expected array, got string"));
  CHECK_THAT(refusal(R"({"consent":"maybe"})"), Contains("/consent: expected login or automatic, got 'maybe'"));
  CHECK_THAT(refusal(R"({"type":"client_credentials","redirect_port":1})"),
             Contains("/redirect_port: is no key of type 'client_credentials'"));
  CHECK_THAT(refusal(R"({"type":"none","client_id":"c"})"), Contains("/client_id: is no key of type 'none'"));
  CHECK_THAT(refusal(R"({"token":"t"})"), Contains("/token: is no key of type 'oauth'"));
  CHECK_THAT(refusal(R"({"token_endpoint_auth_method":"tls"})"), Contains("/token_endpoint_auth_method: expected"));
  CHECK_THAT(refusal(R"({"client_secret":"s"})"), Contains("needs its client_id"));
  CHECK_THAT(refusal(R"({"type":"client_credentials"})"), Contains("needs client_id"));
  CHECK_THAT(refusal(R"({"type":"client_credentials","client_id":"c"})"),
             Contains("needs client_secret, private_key"));
  CHECK_THAT(refusal(R"({"type":"enterprise","client_id":"c","id_token":"t"})"), Contains("idp_token_endpoint"));
  CHECK_THAT(refusal(R"({"type":"workload_identity","client_id":"c"})"), Contains("needs token or token_file"));
  CHECK_THAT(refusal(R"({"type":"workload_identity","client_id":"c","token":"t","token_file":"f"})"),
             Contains("exclude each other"));
  CHECK_THAT(refusal(R"({"client_metadata_url":"http://h/c"})"), Contains("https URL with a path"));
  CHECK_THAT(refusal(R"({"client_metadata_url":"https://h/"})"), Contains("https URL with a path"));
  CHECK_THAT(refusal(R"({"client_id":"c","token_endpoint_auth_method":"private_key_jwt"})"),
             Contains("private_key"));
  CHECK_THAT(refusal(R"({"client_id":"c","private_key_file":"/no/such/file"})"), Contains("/no/such/file"));
  CHECK_THAT(refusal(R"({"client_id":"c","private_key":"nonsense"})"),
             Contains("auth.private_key: is not a private key"));
  CHECK_THAT(refusal("[]"), Contains("auth: expected object"));
  CHECK_THAT(refusal("{"), Contains("not valid JSON"));
}

TEST_CASE("a secret in a file is read each time, without the line's end, and up to the limit") {
  const TemporaryDirectory directory;
  const SecretSource source{"", directory.path("secret")};
  CHECK_THAT(source.read().message(), Contains("No such file"));
  directory.put("secret", "one\n");
  CHECK(*source.read() == "one");
  directory.put("secret", "  two \r\n");
  CHECK(*source.read() == "two");
  directory.put("secret", " \n");
  CHECK_THAT(source.read().message(), Contains("is empty"));
  directory.put("secret", std::string(auth::limits::kSecretFileBytesMax, 'x'));
  CHECK(source.read());
  directory.put("secret", std::string(auth::limits::kSecretFileBytesMax + 1, 'x'));
  CHECK_THAT(source.read().message(), Contains("larger than"));
}
