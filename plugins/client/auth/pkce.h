// Proof Key for Code Exchange with S256 (RFC 7636).
#pragma once

#include <string>
#include <string_view>

#include "client/net/encoding.h"

namespace collet::client::auth {

inline std::string pkce_verifier() { return random_text(32); }
inline std::string pkce_challenge(std::string_view verifier) { return base64url(sha256(verifier)); }

}  // namespace collet::client::auth
