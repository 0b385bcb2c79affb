#include "client/auth/signing_key.h"

#include <cstdlib>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <collet/kit/base64.hpp>

#include "client/net/crypto.h"

namespace collet::client::auth {
namespace {

constexpr std::string_view kEs256 = "ES256", kRs256 = "RS256";
constexpr std::size_t kCoordinateBytes = 32;  // of a point on P-256, and of either half of its signatures
constexpr int kRsaBitsMin = 2'048;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeNumber {
  void operator()(BIGNUM* number) const { BN_free(number); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeSignature {
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};

// What can fail here only for want of memory, or by a bug.
void require(bool done) {
  if (!done) std::abort();
}

// OpenSSL would ask at the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

bool is_on_p256(const EVP_PKEY* key) {
  char group[32];
  std::size_t size = 0;
  return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &size) == 1 &&
         std::string_view(group, size) == "prime256v1";
}

std::string parameter(const EVP_PKEY* key, const char* name, std::size_t bytes_min = 0) {
  BIGNUM* raw = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &raw) == 1);
  const std::unique_ptr<BIGNUM, FreeNumber> number(raw);
  std::string bytes(std::max(bytes_min, static_cast<std::size_t>(BN_num_bytes(raw))), '\0');
  require(BN_bn2binpad(raw, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) >= 0);
  return kit::base64url(bytes);
}

// From DER to the two numbers side by side (RFC 7518 §3.4).
std::string jose_signature(const std::string& der) {
  auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<ECDSA_SIG, FreeSignature> pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  require(pair != nullptr);
  std::string out(2 * kCoordinateBytes, '\0');
  auto* const first = reinterpret_cast<unsigned char*>(out.data());
  constexpr int kSize = static_cast<int>(kCoordinateBytes);
  require(BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), first, kSize) >= 0);
  require(BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), first + kCoordinateBytes, kSize) >= 0);
  return out;
}

}  // namespace

void SigningKey::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }
SigningKey::SigningKey(std::unique_ptr<evp_pkey_st, Free> key, std::string_view algorithm)
    : key_(std::move(key)), algorithm_(algorithm) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

Result<SigningKey> SigningKey::from_pem(const std::string& pem, std::string_view algorithm) {
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  require(bio != nullptr);
  std::unique_ptr<evp_pkey_st, Free> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!key) return Error{"is not a private key in PKCS#8 PEM without a passphrase"};
  const bool is_ec = EVP_PKEY_is_a(key.get(), "EC") == 1;
  const bool is_rsa = EVP_PKEY_is_a(key.get(), "RSA") == 1;
  if (is_ec && !is_on_p256(key.get())) return Error{"is on another curve than P-256, which ES256 needs"};
  if (is_rsa && EVP_PKEY_get_bits(key.get()) < kRsaBitsMin)
    return Error{"has less than the 2048 bits that RS256 needs"};
  if (!is_ec && !is_rsa) return Error{"is neither an EC key on P-256 nor an RSA key"};
  const std::string_view own = is_ec ? kEs256 : kRs256;
  if (!algorithm.empty() && algorithm != own) {
    return Error{"is a key for " + std::string(own) + ", not for " + std::string(algorithm)};
  }
  return SigningKey(std::move(key), own);
}

SigningKey SigningKey::generate() {
  std::unique_ptr<evp_pkey_st, Free> key(EVP_EC_gen("P-256"));
  require(key != nullptr);
  return SigningKey(std::move(key), kEs256);
}

std::string SigningKey::pem() const {
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new(BIO_s_mem()));
  require(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string SigningKey::public_jwk() const {
  JsonMembers jwk{"{"};
  if (algorithm_ == kEs256) {
    jwk.add("crv", "P-256");
    jwk.add("kty", "EC");
    jwk.add("x", parameter(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, kCoordinateBytes));
    jwk.add("y", parameter(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, kCoordinateBytes));
  } else {
    jwk.add("e", parameter(key_.get(), OSSL_PKEY_PARAM_RSA_E));
    jwk.add("kty", "RSA");
    jwk.add("n", parameter(key_.get(), OSSL_PKEY_PARAM_RSA_N));
  }
  return jwk.text + "}";
}

std::string SigningKey::sign(JsonMembers header, const JsonMembers& claims) const {
  header.add("alg", algorithm_);
  const std::string text = kit::base64url("{" + header.text + "}") + "." + kit::base64url("{" + claims.text + "}");
  return text + "." + kit::base64url(signature(text));
}

std::string SigningKey::signature(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  require(context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1);
  std::size_t size = 0;
  require(EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) == 1);
  std::string out(size, '\0');
  auto* const data = reinterpret_cast<unsigned char*>(out.data());
  require(EVP_DigestSign(context.get(), data, &size, bytes, text.size()) == 1);
  out.resize(size);
  return algorithm_ == kEs256 ? jose_signature(out) : out;
}

}  // namespace collet::client::auth
