// Two clocks. Nobody sets the monotonic one: deadlines and expiries that this process keeps to itself go by it. Machines share the
// wall clock: what one seals and another opens expires by it.
#pragma once

#include <chrono>
#include <cstdint>

namespace collet {

inline std::uint64_t monotonic_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

// Since 1970.
inline std::uint64_t wall_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace collet
