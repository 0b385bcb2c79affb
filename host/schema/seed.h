// A random number, the same for the life of the process: whoever sends data must not know where it hashes.
#pragma once

#include <cstdint>

namespace collet::schema {

std::uint64_t process_seed();

}  // namespace collet::schema
