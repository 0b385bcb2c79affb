// Proof Key for Code Exchange with S256 (RFC 7636).
#pragma once

#include <string>
#include <string_view>

#include <collet/kit/base64.hpp>

#include "client/net/crypto.h"

namespace collet::client::auth {

inline std::string pkce_verifier() { return random_text(32); }
inline std::string pkce_challenge(std::string_view verifier) { return kit::base64url(sha256(verifier)); }

}  // namespace collet::client::auth
