#include "config/token.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/assert.h"
#include "base/random.h"
#include "collet/kit/base64.hpp"

namespace collet::config {
namespace {

constexpr std::string_view kTokenPrefix = "collet_";
constexpr std::string_view kHashPrefix = "sha256:";
constexpr std::size_t kTokenBytes = 32;
constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

bool is_principal(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '@' || c == '-';
  });
}

std::string make_token() {
  std::array<unsigned char, kTokenBytes> bytes;
  fill_random(bytes);
  return std::string(kTokenPrefix) + kit::base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

TokenDigest digest_of(std::string_view token) {
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);  // which takes longer than the digest
  TokenDigest digest;
  if (EVP_Digest(token.data(), token.size(), digest.data(), nullptr, kSha256, nullptr) != 1) throw std::bad_alloc();
  return digest;
}

std::string hash_token(std::string_view token) {
  std::string hash(kHashPrefix);
  for (const unsigned char byte : digest_of(token)) {
    hash += kHexDigits[byte >> 4];
    hash += kHexDigits[byte & 15];
  }
  return hash;
}

bool is_token_hash(std::string_view text) {
  return text.size() == kHashPrefix.size() + 2 * sizeof(TokenDigest) && text.starts_with(kHashPrefix) &&
         text.find_first_not_of(kHexDigits, kHashPrefix.size()) == text.npos;
}

TokenDigest read_token_hash(std::string_view text) {
  COLLET_ASSERT(is_token_hash(text));
  TokenDigest digest;
  const auto value = [](char digit) { return static_cast<unsigned char>(kHexDigits.find(digit)); };
  std::size_t at = kHashPrefix.size();
  for (unsigned char& byte : digest) {
    byte = static_cast<unsigned char>(value(text[at]) << 4 | value(text[at + 1]));
    at += 2;
  }
  return digest;
}

std::size_t TokenDigestHash::operator()(const TokenDigest& digest) const {
  std::size_t hash;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

}  // namespace collet::config
