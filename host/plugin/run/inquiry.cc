#include "plugin/run/inquiry.h"

#include <utility>

#include "plugin/run/plugin_functions.h"

namespace collet::plugin {

std::string Inquiry::status() {
  const PluginFunctions* functions = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!functions_) return {};
    functions = functions_;
    ++under_way_;
  }
  std::string status = functions->status();
  const std::lock_guard lock(mutex_);
  --under_way_;
  changed_.notify_all();
  return status;
}

bool Inquiry::end_by(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  functions_ = nullptr;
  return changed_.wait_until(lock, deadline, [&] { return under_way_ == 0; });
}

}  // namespace collet::plugin
