// How every function of a host table begins.
#pragma once

#include <utility>

#include "plugin/host_table.h"

namespace collet::plugin {

inline HostSide* side_of(const collet_host* host) {
  return host ? static_cast<HostSide*>(host->host_data) : nullptr;
}

// Runs `body` with the host's side. No exception crosses the ABI: what can be thrown here is want of memory.
template <class Body>
std::int32_t entered(const collet_host* host, Body&& body) noexcept {
  HostSide* side = side_of(host);
  if (!side) return COLLET_E_INVALID;
  try {
    return body(*side);
  } catch (...) {
    return COLLET_E_INTERNAL;
  }
}

}  // namespace collet::plugin
