// Demonstrating Proof of Possession (RFC 9449): a key, the proofs made with it, and the nonces that servers demand
// in them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "client/auth/signing_key.h"

namespace collet::client::auth {

class Dpop {
 public:
  explicit Dpop(SigningKey key) : key_(std::move(key)) {}

  const SigningKey& key() const { return key_; }

  // A proof of its own for one request to `url`, with the token that goes with it; without one at a token endpoint.
  std::string proof(std::string_view method, std::string_view url, std::string_view access_token,
                    std::int64_t now) const;

  // The nonce that the server of that URL wants from now on. False if it is the one it had given before, or none.
  bool learn_nonce(std::string_view url, std::string_view nonce);

 private:
  SigningKey key_;
  std::map<std::string, std::string, std::less<>> nonces_;  // by origin
};

}  // namespace collet::client::auth
