#include "client/auth/signing_key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <collet/kit/base64.hpp>

#include "client/auth/dpop.h"
#include "client/auth/limits.h"
#include "client/limits.h"
#include "client/net/crypto.h"
#include "plugins/client/auth/verified_jwt.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;
using Catch::Contains;

namespace {

std::string pem_of(EVP_PKEY* key, const char* passphrase = nullptr) {
  BIO* const bio = BIO_new(BIO_s_mem());
  const EVP_CIPHER* const cipher = passphrase ? EVP_aes_128_cbc() : nullptr;
  const int length = passphrase ? static_cast<int>(std::char_traits<char>::length(passphrase)) : 0;
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, passphrase, length, nullptr, nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  EVP_PKEY_free(key);
  return pem;
}

collet::JsonMembers claims() {
  collet::JsonMembers out;
  out.add("iss", "me \"and\" you");
  return out;
}

}  // namespace

TEST_CASE("an EC key signs ES256, again and again, also after a way through PEM") {
  const SigningKey made = SigningKey::generate();
  const auto key = SigningKey::from_pem(made.pem(), "ES256");
  REQUIRE(key);
  CHECK(key->algorithm() == "ES256");
  CHECK(key->public_jwk() == made.public_jwk());
  for (int i = 0; i < 64; ++i) {  // either half of a signature is shorter than 32 bytes once in 128 times
    Jwt jwt = verified_jwt(key->sign({R"("typ":"JWT")"}, claims()), made.public_jwk());
    CHECK(jwt.header["typ"] == "JWT");
    CHECK(jwt.claims["iss"] == "me \"and\" you");
  }
}

TEST_CASE("an RSA key signs RS256") {
  const auto key = SigningKey::from_pem(pem_of(EVP_RSA_gen(2'048)));
  REQUIRE(key);
  CHECK(verified_jwt(key->sign({}, claims()), key->public_jwk()).header["alg"] == "RS256");
}

TEST_CASE("keys that must not be used are refused, and why is said") {
  const auto why = [](const std::string& pem, std::string_view algorithm = {}) {
    return SigningKey::from_pem(pem, algorithm).message();
  };
  CHECK_THAT(why("nonsense"), Contains("is not a private key in PKCS#8 PEM"));
  CHECK_THAT(why(pem_of(EVP_EC_gen("P-256"), "secret")), Contains("without a passphrase"));
  CHECK_THAT(why(pem_of(EVP_EC_gen("P-384"))), Contains("another curve"));
  CHECK_THAT(why(pem_of(EVP_RSA_gen(1'024))), Contains("2048"));
  CHECK_THAT(why(pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))), Contains("neither an EC key"));
  CHECK_THAT(why(SigningKey::generate().pem(), "RS256"), Contains("for ES256, not for RS256"));
}

TEST_CASE("a DPoP proof names method, URL without query, token and nonce, and no two are the same") {
  Dpop dpop(SigningKey::generate());
  Jwt proof = verified_jwt(dpop.proof("POST", "https://h/p?q=1", "a-token", 1'700'000'000));
  CHECK(proof.header["typ"] == "dpop+jwt");
  CHECK_THAT(proof.header["jwk"], !Contains("\"d\""));
  CHECK(proof.claims["htm"] == "POST");
  CHECK(proof.claims["htu"] == "https://h/p");
  CHECK(proof.claims["iat"] == "1700000000");
  CHECK(proof.claims["ath"] == collet::kit::base64url(sha256("a-token")));
  CHECK(proof.claims.count("nonce") == 0);
  CHECK(dpop.learn_nonce("https://h/other", "n1"));
  CHECK_FALSE(dpop.learn_nonce("https://h/other", "n1"));
  CHECK_FALSE(dpop.learn_nonce("https://h/other", ""));
  Jwt second = verified_jwt(dpop.proof("POST", "https://h/p", {}, 0));
  CHECK(second.claims["nonce"] == "n1");
  CHECK(second.claims.count("ath") == 0);
  CHECK(second.claims["jti"] != proof.claims["jti"]);
  CHECK(verified_jwt(dpop.proof("POST", "https://elsewhere/", {}, 0)).claims.count("nonce") == 0);
}

TEST_CASE("nonces are kept for a bounded number of origins, and of a bounded size") {
  Dpop dpop(SigningKey::generate());
  const auto has_nonce = [&](const std::string& url) {
    return verified_jwt(dpop.proof("GET", url, {}, 0)).claims.count("nonce") == 1;
  };
  for (std::size_t i = 0; i < auth::limits::kNonceOriginsMax; ++i) {
    dpop.learn_nonce("https://h" + std::to_string(i), "n");
  }
  CHECK(has_nonce("https://h0"));
  dpop.learn_nonce("https://one-more", "n");
  CHECK_FALSE(has_nonce("https://h0"));
  CHECK(has_nonce("https://one-more"));
  CHECK(dpop.learn_nonce("https://h", std::string(collet::client::limits::kNonceBytesMax, 'n')));
  CHECK_FALSE(dpop.learn_nonce("https://h", std::string(collet::client::limits::kNonceBytesMax + 1, 'n')));
}
