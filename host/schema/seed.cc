#include "schema/seed.h"

#include <random>

namespace collet::schema {

std::uint64_t process_seed() {
  static const std::uint64_t seed = [] {
    std::random_device device;
    return static_cast<std::uint64_t>(device()) << 32 | device() | 1;
  }();
  return seed;
}

}  // namespace collet::schema
