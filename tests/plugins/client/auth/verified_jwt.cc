#include "plugins/client/auth/verified_jwt.h"

#include <memory>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <collet/kit/base64.hpp>

#include "client/net/crypto.h"
#include "plugins/client/auth/json_value.h"
#include "support/catch.h"

using collet::kit::base64url;
using collet::kit::from_base64url;
using collet::client::sha256;

namespace {

std::string decoded(std::string_view text) {
  const auto bytes = from_base64url(text);
  REQUIRE(bytes);
  return *bytes;
}

const unsigned char* data(const std::string& bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

BIGNUM* number(const std::string& bytes) { return BN_bin2bn(data(bytes), static_cast<int>(bytes.size()), nullptr); }

EVP_PKEY* public_key(const std::string& jwk) {
  auto members_of = members(jwk);
  OSSL_PARAM_BLD* const build = OSSL_PARAM_BLD_new();
  const bool is_ec = members_of["kty"] == "EC";
  const std::string point = is_ec ? "\x04" + decoded(members_of["x"]) + decoded(members_of["y"]) : "";
  BIGNUM* const n = number(is_ec ? "" : decoded(members_of["n"]));
  BIGNUM* const e = number(is_ec ? "" : decoded(members_of["e"]));
  if (is_ec) {
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  } else {
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
  }
  OSSL_PARAM* const parameters = OSSL_PARAM_BLD_to_param(build);
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, is_ec ? "EC" : "RSA", nullptr);
  EVP_PKEY* key = nullptr;
  REQUIRE(EVP_PKEY_fromdata_init(context) == 1);
  REQUIRE(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(build);
  BN_free(n);
  BN_free(e);
  return key;
}

std::string der(const std::string& raw) {
  REQUIRE(raw.size() == 64);
  ECDSA_SIG* const pair = ECDSA_SIG_new();
  ECDSA_SIG_set0(pair, number(raw.substr(0, 32)), number(raw.substr(32)));
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(pair, &out);
  std::string bytes(reinterpret_cast<char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  ECDSA_SIG_free(pair);
  return bytes;
}

bool verifies(EVP_PKEY* key, const std::string& signature, const std::string& text) {
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  REQUIRE(EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key) == 1);
  const int verdict = EVP_DigestVerify(context, data(signature), signature.size(), data(text), text.size());
  EVP_MD_CTX_free(context);
  return verdict == 1;
}

}  // namespace

Jwt verified_jwt(std::string_view token, std::string jwk) {
  const auto first = token.find('.'), last = token.rfind('.');
  REQUIRE(first != last);
  Jwt jwt{members(decoded(token.substr(0, first))), members(decoded(token.substr(first + 1, last - first - 1)))};
  if (jwk.empty()) jwk = jwt.header["jwk"];
  const std::string algorithm = jwt.header["alg"];
  REQUIRE((algorithm == "ES256" || algorithm == "RS256"));
  const std::string signature = decoded(token.substr(last + 1));
  EVP_PKEY* const key = public_key(jwk);
  CHECK(verifies(key, algorithm == "ES256" ? der(signature) : signature, std::string(token.substr(0, last))));
  EVP_PKEY_free(key);
  return jwt;
}

std::string thumbprint(const std::string& jwk) {
  auto m = members(jwk);
  return base64url(sha256(R"({"crv":")" + m["crv"] + R"(","kty":")" + m["kty"] + R"(","x":")" + m["x"] +
                          R"(","y":")" + m["y"] + "\"}"));
}
