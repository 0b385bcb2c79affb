#include "client/auth/dpop.h"

#include <collet/kit/base64.hpp>

#include "client/auth/limits.h"
#include "client/limits.h"
#include "client/net/crypto.h"
#include "client/net/url.h"

namespace collet::client::auth {
std::string Dpop::proof(std::string_view method, std::string_view url, std::string_view access_token,
                        std::int64_t now) const {
  JsonMembers header;
  header.add("typ", "dpop+jwt");
  header.add_raw("jwk", key_.public_jwk());
  JsonMembers claims;
  claims.add("jti", random_text(limits::kTokenIdBytes));
  claims.add("htm", method);
  claims.add("iat", now);
  if (const std::optional<Url> target = parse_url(url)) {
    claims.add("htu", target->without_query());
    if (const auto nonce = nonces_.find(target->origin()); nonce != nonces_.end())
      claims.add("nonce", nonce->second);
  }
  if (!access_token.empty()) claims.add("ath", kit::base64url(sha256(access_token)));
  return key_.sign(std::move(header), claims);
}

bool Dpop::learn_nonce(std::string_view url, std::string_view nonce) {
  const std::optional<Url> from = parse_url(url);
  if (!from || nonce.empty() || nonce.size() > client::limits::kNonceBytesMax) return false;
  const std::string origin = from->origin();
  if (nonces_.size() >= limits::kNonceOriginsMax && !nonces_.count(origin)) nonces_.clear();
  std::string& known = nonces_[origin];
  if (known == nonce) return false;
  known = nonce;
  return true;
}

}  // namespace collet::client::auth
