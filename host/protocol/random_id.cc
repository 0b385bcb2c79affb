#include "protocol/random_id.h"

#include <fmt/core.h>

#include "base/random.h"

namespace collet::protocol {

std::string random_id() {
  unsigned char bytes[16];
  fill_random(bytes);
  std::string id;
  for (unsigned char byte : bytes) id += fmt::format("{:02x}", byte);
  return id;
}

}  // namespace collet::protocol
