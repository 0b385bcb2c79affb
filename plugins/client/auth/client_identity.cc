#include "client/auth/client_identity.h"

#include <algorithm>
#include <array>

#include <collet/kit/base64.hpp>

#include "client/auth/limits.h"
#include "client/net/crypto.h"

namespace collet::client::auth {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"none", "client_secret_basic", "client_secret_post",
                                                    "private_key_jwt"};

std::string assertion(const ClientIdentity& client, const std::string& audience, std::int64_t now) {
  JsonMembers header;
  header.add("typ", "JWT");
  if (!client.key_id.empty()) header.add("kid", client.key_id);
  JsonMembers claims;
  claims.add("iss", client.id);
  claims.add("sub", client.id);
  claims.add("aud", audience);
  claims.add("jti", random_text(limits::kTokenIdBytes));
  claims.add("iat", now);
  claims.add("exp", now + limits::kAssertionLifeS);
  return client.key->sign(std::move(header), claims);
}

}  // namespace

std::string_view name_of(AuthMethod method) { return kNames[static_cast<std::size_t>(method)]; }

std::optional<AuthMethod> parse_auth_method(std::string_view name) {
  const auto at = std::find(kNames.begin(), kNames.end(), name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<AuthMethod>(at - kNames.begin());
}

void ClientIdentity::authenticate(const std::string& audience, std::int64_t now, Form& form,
                                  std::vector<HttpHeader>& headers) const {
  switch (method) {
    case AuthMethod::client_secret_basic:
      headers.push_back({"Authorization", "Basic " + kit::base64(percent_encode(id) + ":" + percent_encode(secret))});
      return;
    case AuthMethod::client_secret_post:
      form.emplace_back("client_id", id);
      form.emplace_back("client_secret", secret);
      return;
    case AuthMethod::private_key_jwt:
      form.emplace_back("client_id", id);
      form.emplace_back("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
      form.emplace_back("client_assertion", assertion(*this, audience, now));
      return;
    case AuthMethod::none:
      form.emplace_back("client_id", id);
      return;
  }
}

std::optional<AuthMethod> choose_auth_method(const std::vector<std::string>& offered, bool has_secret,
                                             bool has_key) {
  const auto offers = [&](AuthMethod method) {
    return std::find(offered.begin(), offered.end(), name_of(method)) != offered.end();
  };
  if (has_key && offers(AuthMethod::private_key_jwt)) return AuthMethod::private_key_jwt;
  if (has_secret && offers(AuthMethod::client_secret_basic)) return AuthMethod::client_secret_basic;
  if (has_secret && offers(AuthMethod::client_secret_post)) return AuthMethod::client_secret_post;
  if (offers(AuthMethod::none)) return AuthMethod::none;
  return std::nullopt;
}

}  // namespace collet::client::auth
