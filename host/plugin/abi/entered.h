// How every function of a host table begins, and how those do that speak of a call.
#pragma once

#include <new>

#include "plugin/abi/host_table.h"
#include "plugin/run/call_table.h"

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

// What `body` says of the call's result. If there is no memory for that the call fails.
template <class Body>
std::int32_t as_far_as_memory_goes(HostSide& side, CallSlot& call, Body&& body) {
  try {
    return body(side, call);
  } catch (const std::bad_alloc&) {
    call.note_out_of_memory();
    return COLLET_E_LIMIT;
  }
}

// Runs `body` with the running call, to whose result it adds.
template <class Body>
std::int32_t with_call(const collet_host* host, collet_call id, Body&& body) noexcept {
  return entered(host, [&](HostSide& side) -> std::int32_t {
    LockedCall call = side.calls.lock(id, side.owner);
    return call ? as_far_as_memory_goes(side, *call, body) : COLLET_E_STALE;
  });
}

// Likewise, and the call ends then, in any case.
template <class Body>
std::int32_t end_call(const collet_host* host, collet_call id, Body&& body) noexcept {
  return entered(host, [&](HostSide& side) -> std::int32_t {
    LockedCall call = side.calls.lock(id, side.owner);
    if (!call) return COLLET_E_STALE;
    const std::int32_t status = as_far_as_memory_goes(side, *call, body);
    side.calls.end(std::move(call));
    return status;
  });
}

// The call ends with an error that the plugin has made in that function.
inline void set_failed(const HostSide& side, CallSlot& call, const char* function, std::string_view reason) {
  std::string message = fmt::format("plugin {}: {}(): {}", side.owner.name, function, reason);
  call.ending.how = registry::Ending::How::failed;
  call.ending.rpc_code = kInternalError;
  call.ending.message = std::move(message);
}

}  // namespace collet::plugin
