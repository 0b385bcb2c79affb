#include "plugin/run/last_calls.h"

#include <mutex>

namespace collet::plugin {

bool LastCalls::wait_ended(Clock::duration at_most, bool can_be_hurried) {
  std::unique_lock lock(owner_.drain_mutex);
  owner_.drained.wait_until(lock, Clock::now() + at_most,
                            [&] { return (can_be_hurried && hurried_) || calls_.list().empty(); });
  return calls_.list().empty();
}

void LastCalls::hurry() {
  const std::lock_guard lock(owner_.drain_mutex);
  hurried_ = true;
  owner_.drained.notify_all();
}

bool LastCalls::wait_delivered() {
  std::unique_lock lock(owner_.drain_mutex);
  owner_.drained.wait(lock, [&] { return abandoned_ || owner_.calls_in_flight() == 0; });
  return owner_.calls_in_flight() == 0;
}

void LastCalls::abandon() {
  const std::lock_guard lock(owner_.drain_mutex);
  abandoned_ = true;
  owner_.drained.notify_all();
}

}  // namespace collet::plugin
