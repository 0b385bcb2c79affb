#include "protocol/random_id.h"

#include <fmt/core.h>
#include <openssl/rand.h>

#include "base/assert.h"

namespace collet::protocol {

std::string random_id() {
  unsigned char bytes[16];
  COLLET_ASSERT(RAND_bytes(bytes, sizeof bytes) == 1);
  std::string id;
  for (unsigned char byte : bytes) id += fmt::format("{:02x}", byte);
  return id;
}

}  // namespace collet::protocol
