#include "client/remote/reconnection.h"

#include <algorithm>
#include <random>

namespace collet::client {
namespace {

// Between half of it and all of it, so that remotes that went down together are not all tried together.
std::uint64_t jittered(std::uint64_t ms) { return ms / 2 + std::random_device{}() % (ms / 2 + 1); }

}  // namespace

std::uint64_t Reconnection::note_down(std::uint64_t now, bool was_up, std::uint64_t pause_ms_min) {
  retries_ = true;
  if (was_up) patient_until_ms_ = now + restart_ms_;
  const bool flapping = !was_up || now - up_since_ms_ < limits::kStableMs;
  failures_ = flapping ? failures_ + 1 : 0;
  if (given_up_) return 0;
  const std::uint64_t pause = std::max(pause_ms(now), pause_ms_min);
  next_attempt_ms_ = now + pause;
  return pause;
}

void Reconnection::give_up() {
  given_up_ = true;
  next_attempt_ms_ = 0;
}

std::uint64_t Reconnection::pause_ms(std::uint64_t now) const {
  if (failures_ == 0) return 0;
  const std::uint64_t doubled = limits::kBackoffMinMs << std::min(failures_ - 1, 10u);
  const std::uint64_t pause = jittered(std::min(doubled, limits::kBackoffMaxMs));
  return now < patient_until_ms_ ? std::min(pause, patient_until_ms_ - now) : pause;
}

bool Reconnection::patient(std::uint64_t now) const {
  if (given_up_ || remaining_ms(now) > restart_ms_) return false;
  return failures_ <= 1 || now < patient_until_ms_;
}

std::uint64_t Reconnection::remaining_ms(std::uint64_t now) const {
  return next_attempt_ms_ > now ? next_attempt_ms_ - now : 0;
}

}  // namespace collet::client
