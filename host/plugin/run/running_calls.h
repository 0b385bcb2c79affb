// The calls of a generation that have not ended: listed, and ended without their plugin.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugin/run/call_table.h"
#include "plugin/run/items.h"

namespace collet::plugin {

// Any thread.
class RunningCalls {
 public:
  // Those of that owner. Both are borrowed.
  RunningCalls(CallTable& calls, const CallOwner& owner) : calls_(calls), owner_(owner) {}
  RunningCalls(const RunningCalls&) = delete;
  RunningCalls& operator=(const RunningCalls&) = delete;

  // Begun or not.
  std::vector<RunningCall> list() const { return calls_.running(owner_); }
  // "search, for 12 s", oldest first, at most `count`.
  std::vector<std::string> describe(const Items& items, std::size_t count) const;

  // These end what has begun, and not ended yet. With what went wrong first in the call, else for this reason.
  void end(CallId id, std::string reason) const;
  void end_for_memory(CallId id) const;
  void end_all(std::string_view reason) const;

 private:
  CallTable& calls_;
  const CallOwner& owner_;
};

}  // namespace collet::plugin
