// Bearer tokens: made here, shown once, kept as a hash.
//
// A token is 256 random bits, which nobody can guess however fast the hash is, so that a plain SHA-256 keeps it.
// Slow password hashes protect what people choose; here they would only slow every request down.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace collet::config {

// Whether a token can stand for `name`.
bool is_principal(std::string_view name);
inline constexpr std::string_view kPrincipalMustBe = "a name of the characters A-Z a-z 0-9 _ . @ -";

// "collet_" and 43 characters of base64url. Fails if the system has no randomness to give.
Result<std::string> make_token();

// "sha256:" and 64 lower-case hexadecimal digits.
std::string hash_token(std::string_view token);
// Whether `text` could have come from hash_token().
bool is_token_hash(std::string_view text);

// Takes the same time wherever the two differ.
bool are_same(std::string_view hash, std::string_view other);

}  // namespace collet::config
