// A clock that nobody sets: what deadlines and expiries that this process keeps to itself live by.
#pragma once

#include <chrono>
#include <cstdint>

namespace collet {

inline std::uint64_t monotonic_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace collet
