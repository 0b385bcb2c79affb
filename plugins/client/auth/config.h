// The `auth` table of a `[remote.<name>]`, as a JSON object:
//
//   type               "oauth" (default), "client_credentials", "enterprise", "workload_identity" or "none"
//   issuer             the only authorization server to use, as its metadata writes it; what is configured here
//                      was registered with it. It may differ by a last "/" from what the remote says
//   client_id, client_secret        of a client that is registered already
//   private_key, private_key_file   in PKCS#8 PEM: the client signs assertions instead of having a secret
//   signing_algorithm  "ES256" or "RS256"; by default whichever the key is for
//   key_id             the `kid` of such an assertion
//   token_endpoint_auth_method      "none", "client_secret_basic", "client_secret_post" or "private_key_jwt";
//                      by default what the authorization server offers first of what the client has
//   scopes             to ask for, as they stand, instead of all that the server supports; what it demands is
//                      asked for too
//   dpop               true: only bound tokens; false: never; by default if the server asks for them
//   resource           what the remote may call itself although its URL is another. Tokens for it are sent to
//                      the remote: whoever runs the remote can use them at that other server
//   send_resource      false: the authorization server is not told which resource the token is for, and may
//                      issue one that is good for others as well; true by default
// of "oauth":
//   client_metadata_url             our client-id metadata document, an https URL
//   client_name        shown to people by an authorization server that registers us; "Collet"
//   redirect_port      of the loopback listener; 0 (default): any that is free
//   assume_pkce        true: PKCE is used, though the server does not say that it knows it. Where it does not,
//                      a code that is stolen on its way to us can be used
//   consent            "login" (default): by `collet login`; "automatic": the authorization server asks nobody,
//                      and its redirects are followed
// of "enterprise":
//   id_token, id_token_file         from the identity provider; a file is read for each use
//   idp_token_endpoint              where it becomes a grant (RFC 8693)
//   idp_client_id, idp_client_secret   of us at the identity provider
// of "workload_identity":
//   token, token_file               the workload's JWT; a file is read for each use
//
// Any other key, and one of another type, is an error.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/auth/client_identity.h"
#include "client/auth/scopes.h"
#include "client/net/result.h"

namespace collet::client::auth {

enum class AuthType { oauth, client_credentials, enterprise, workload_identity, none };

// A secret given in the configuration, or the file to read it from each time.
struct SecretSource {
  std::string text;
  std::string file;

  bool is_set() const { return !text.empty() || !file.empty(); }
  // Without white space around it.
  Result<std::string> read() const;
};

struct Config {
  AuthType type = AuthType::oauth;
  std::string issuer;
  std::string client_id;
  std::string client_secret;
  SecretSource private_key;
  std::shared_ptr<const SigningKey> key;  // read from private_key; shared with the identities made of it
  std::string signing_algorithm;
  std::string key_id;
  std::optional<AuthMethod> auth_method;
  Scopes scopes;
  std::optional<bool> dpop;
  std::string resource;
  bool send_resource = true;
  bool assume_pkce = false;
  std::string client_metadata_url;
  std::string client_name = "Collet";
  std::uint16_t redirect_port = 0;
  bool automatic_consent = false;
  SecretSource id_token;
  std::string idp_token_endpoint;
  std::string idp_client_id;
  std::string idp_client_secret;
  SecretSource token;
};

// Complete and consistent, with the private key read; or a failure that names the key at fault.
Result<Config> parse_config(std::string_view json);

}  // namespace collet::client::auth
