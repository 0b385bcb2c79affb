// A private key and the JSON Web Signatures made with it (RFC 7515, RFC 7518 §3: ES256 and RS256).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <collet/json.hpp>

#include "client/net/result.h"

struct evp_pkey_st;

namespace collet::client::auth {

// Any thread.
class SigningKey {
 public:
  // From PKCS#8 PEM. `algorithm` is "ES256", "RS256", or empty: whichever the key is for. A key that has a
  // passphrase, is on another curve than P-256 or is an RSA key of less than 2048 bits is refused.
  static Result<SigningKey> from_pem(const std::string& pem, std::string_view algorithm = {});
  static SigningKey generate();  // for ES256

  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();

  std::string_view algorithm() const { return algorithm_; }
  std::string pem() const;  // PKCS#8; secret
  // The public half: members in the order of their names, without spaces, as RFC 7638 §3 wants them for a
  // thumbprint.
  std::string public_jwk() const;

  // The compact JWT of these claims. `header` has what comes beside "alg".
  std::string sign(JsonMembers header, const JsonMembers& claims) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  SigningKey(std::unique_ptr<evp_pkey_st, Free> key, std::string_view algorithm);

  std::string signature(std::string_view text) const;

  std::unique_ptr<evp_pkey_st, Free> key_;
  std::string_view algorithm_;  // a literal
};

}  // namespace collet::client::auth
