// A call that is made now and starts later: a copy of what its caller lends only until Provider::start() returns.
#pragma once

#include <chrono>
#include <string>

#include "registry/item.h"

namespace collet::registry {

class KeptCall {
 public:
  using Clock = std::chrono::steady_clock;

  KeptCall(const Call& call, Clock::time_point now);
  KeptCall(const KeptCall&) = delete;
  KeptCall& operator=(const KeptCall&) = delete;

  // The call as it starts at `now`: with the time that is left of its own, at least 1 ms. Its texts are borrowed from here.
  Call borrowed(Clock::time_point now) const;

 private:
  std::string_view keep(std::string_view text);

  Call call_;
  const Clock::time_point made_at_;
  std::string texts_;  // all of them one behind the other; call_'s point into it
};

}  // namespace collet::registry
