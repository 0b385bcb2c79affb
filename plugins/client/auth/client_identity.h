// Who we are to an authorization server, and how we prove it at its token endpoint (RFC 6749 §2.3, RFC 7523 §2.2).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/auth/signing_key.h"
#include "client/net/fetch.h"
#include "client/net/url.h"

namespace collet::client::auth {

enum class AuthMethod { none, client_secret_basic, client_secret_post, private_key_jwt };

std::string_view name_of(AuthMethod method);
std::optional<AuthMethod> parse_auth_method(std::string_view name);

struct ClientIdentity {
  std::string id;
  std::string secret;
  AuthMethod method = AuthMethod::none;
  std::shared_ptr<const SigningKey> key;  // for private_key_jwt; shared with the configuration
  std::string key_id;
  bool registered = false;  // by us, dynamically: it may be registered again

  // Adds what proves it to a token request. `audience` is the server's issuer.
  void authenticate(const std::string& audience, std::int64_t now, Form& form,
                    std::vector<HttpHeader>& headers) const;
};

// The first method that `offered` names and what we have (a key, a secret) allows; nothing if there is none.
std::optional<AuthMethod> choose_auth_method(const std::vector<std::string>& offered, bool has_secret,
                                             bool has_key);

}  // namespace collet::client::auth
