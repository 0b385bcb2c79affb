#include "plugin/run/inquiry.h"

#include <utility>

#include "plugin/run/generation.h"

namespace collet::plugin {

std::string Inquiry::status() {
  const Generation* generation = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!generation_) return {};
    generation = generation_;
    ++under_way_;
  }
  std::string status = generation->status();
  const std::lock_guard lock(mutex_);
  --under_way_;
  changed_.notify_all();
  return status;
}

bool Inquiry::end_by(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  generation_ = nullptr;
  return changed_.wait_until(lock, deadline, [&] { return under_way_ == 0; });
}

}  // namespace collet::plugin
