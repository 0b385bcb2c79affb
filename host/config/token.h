// Bearer tokens: made here, shown once, kept as a hash.
//
// A token is 256 random bits, which nobody can guess however fast the hash is, so that a plain SHA-256 keeps it.
// Slow password hashes protect what people choose; here they would only slow every request down.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace collet::config {

// Whether a token can stand for `name`.
bool is_principal(std::string_view name);
inline constexpr std::string_view kPrincipalMustBe = "a name of the characters A-Z a-z 0-9 _ . @ -";

// "collet_" and 43 characters of base64url. Fails if the system has no randomness to give.
std::string make_token();

// SHA-256. Two may be compared as is most convenient: who learns one from the time that takes cannot make its token.
using TokenDigest = std::array<unsigned char, 32>;
TokenDigest digest_of(std::string_view token);  // throws std::bad_alloc

// As it is written in a configuration: "sha256:" and 64 lower-case hexadecimal digits.
std::string hash_token(std::string_view token);
// Whether `text` could have come from hash_token().
bool is_token_hash(std::string_view text);
// The digest that such a text stands for.
TokenDigest read_token_hash(std::string_view text);

// For tables of them: they are as good as random.
struct TokenDigestHash {
  std::size_t operator()(const TokenDigest& digest) const;
};

}  // namespace collet::config
