// Runs a client's loop on the test's thread.
#pragma once

#include <cstdint>
#include <functional>

#include "client/net/loop.h"

// Until the condition holds, which may be about what other threads do; false: that takes too long.
template <class Condition>
bool run_until(collet::client::Loop& loop, Condition condition) {
  constexpr std::uint64_t kTooLongMs = 60'000, kLookMs = 5;
  bool late = false;
  collet::client::Timer limit(loop), look(loop);
  limit.start(kTooLongMs, [&] { late = true; });
  const std::function<void()> again = [&] { look.start(kLookMs, again); };
  again();
  while (!late && !condition()) uv_run(loop.uv(), UV_RUN_ONCE);
  return !late;
}
