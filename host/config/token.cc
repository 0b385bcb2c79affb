#include "config/token.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "collet/kit/base64.hpp"

namespace collet::config {
namespace {

constexpr std::string_view kTokenPrefix = "collet_";
constexpr std::string_view kHashPrefix = "sha256:";
constexpr std::size_t kTokenBytes = 32;

}  // namespace

bool is_principal(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '@' || c == '-';
  });
}

Result<std::string> make_token() {
  std::array<unsigned char, kTokenBytes> bytes;
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) {
    return error("cannot make a token: no random bytes: {}", ERR_reason_error_string(ERR_get_error()));
  }
  return std::string(kTokenPrefix) + kit::base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string hash_token(std::string_view token) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  constexpr char kHex[] = "0123456789abcdef";
  std::string hash(kHashPrefix);
  for (const unsigned char byte : digest) {
    hash += kHex[byte >> 4];
    hash += kHex[byte & 15];
  }
  return hash;
}

bool is_token_hash(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == kHashPrefix.size() + 2 * SHA256_DIGEST_LENGTH &&
         text.substr(0, kHashPrefix.size()) == kHashPrefix &&
         std::all_of(text.begin() + kHashPrefix.size(), text.end(), is_digit);
}

bool are_same(std::string_view hash, std::string_view other) {
  return hash.size() == other.size() && CRYPTO_memcmp(hash.data(), other.data(), hash.size()) == 0;
}

}  // namespace collet::config
