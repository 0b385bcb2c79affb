#include "plugin/run/control.h"

namespace collet::plugin {

void Control::start(const std::string& name) { thread_ = std::make_unique<ControlThread>(name); }

void Control::run(Callback<void()> task) {
  thread_->run([this, kept = std::move(task)]() mutable {
    const OwnThreads::Inside inside(&own_threads_);
    kept();
  });
}

bool Control::wait_until(Clock::time_point deadline) { return thread_->wait_until(deadline); }

bool Control::wait_or_kill(Clock::time_point deadline, std::string_view what) {
  if (wait_until(deadline)) return true;
  return image_.kill(what) && wait_until(Clock::time_point::max());
}

}  // namespace collet::plugin
