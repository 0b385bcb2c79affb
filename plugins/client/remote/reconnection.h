// When a remote that is down is tried again, and whether calls wait for that.
#pragma once

#include <cstdint>

#include "client/limits.h"

namespace collet::client {

// `now` is in milliseconds of the loop's clock.
class Reconnection {
 public:
  // Calls wait for a remote that was up a moment ago `restart_ms` long.
  explicit Reconnection(std::uint64_t restart_ms = limits::kRestartMs) : restart_ms_(restart_ms) {}

  void note_attempt() { next_attempt_ms_ = 0; }
  void note_up(std::uint64_t now) {
    up_since_ms_ = now;
    retries_ = false;
  }
  // It is down, after it `was_up` or could not be reached. Returns the pause before the next attempt, which is doubled
  // each time and no shorter than `pause_ms_min`.
  std::uint64_t note_down(std::uint64_t now, bool was_up, std::uint64_t pause_ms_min);
  // There will be no other attempt.
  void give_up();

  // Whether it was up for a while before, or has failed for the first time.
  bool is_news() const { return failures_ <= 1; }
  // Whether an attempt is one more since it went down or could not be reached. Until one succeeds it counts as down.
  bool retries() const { return retries_; }
  // Whether calls wait: it is tried soon, and has not been tried often, or was up a moment ago and may only restart.
  bool patient(std::uint64_t now) const;
  // Milliseconds until the next attempt; 0: none is to come, or it has begun.
  std::uint64_t remaining_ms(std::uint64_t now) const;

 private:
  std::uint64_t pause_ms(std::uint64_t now) const;

  const std::uint64_t restart_ms_;
  unsigned failures_ = 0;
  bool retries_ = false;
  std::uint64_t up_since_ms_ = 0;
  std::uint64_t patient_until_ms_ = 0;
  std::uint64_t next_attempt_ms_ = 0;
  bool given_up_ = false;
};

}  // namespace collet::client
