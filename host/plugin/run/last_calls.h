// Waits for the last calls of a generation to end, and for the last of those who made them to be told.
#pragma once

#include "plugin/run/running_calls.h"
#include "plugin/run/thread.h"

namespace collet::plugin {

class LastCalls {
 public:
  // Both are borrowed, and of the same calls.
  LastCalls(CallOwner& owner, const RunningCalls& calls) : owner_(owner), calls_(calls) {}
  LastCalls(const LastCalls&) = delete;
  LastCalls& operator=(const LastCalls&) = delete;

  // [any] From now on ends of calls are announced, or no more.
  void expect() { owner_.draining = true; }
  void expect_none() { owner_.draining = false; }

  // After expect(), when no loop can start calls any more: waits until the last has ended. False if calls still run then.
  bool wait_ended(Clock::duration at_most, bool can_be_hurried);
  // [any] Who waits for it, and can be hurried, waits no longer.
  void hurry();

  // After the last has ended: waits until every listener has been told. False if abandon() was called before.
  bool wait_delivered();
  // [any] Nobody is told any more.
  void abandon();

 private:
  CallOwner& owner_;
  const RunningCalls& calls_;
  bool hurried_ = false;    // guarded by owner_.drain_mutex
  bool abandoned_ = false;  // likewise
};

}  // namespace collet::plugin
