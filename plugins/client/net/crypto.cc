#include "client/net/crypto.h"

#include <cstdlib>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <collet/kit/base64.hpp>

namespace collet::client {

std::string sha256(std::string_view bytes) {
  std::string digest(32, '\0');
  unsigned size = 0;
  auto* const out = reinterpret_cast<unsigned char*>(digest.data());
  if (EVP_Digest(bytes.data(), bytes.size(), out, &size, EVP_sha256(), nullptr) != 1) std::abort();
  return digest;
}

std::string random_text(std::size_t bytes) {
  std::string out(bytes, '\0');
  // Without randomness there is no safe way on.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(bytes)) != 1) std::abort();
  return kit::base64url(out);
}

}  // namespace collet::client
