// What asks a verb that ends by itself to end early: Ctrl-C, `kill`, a terminal that is closed.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "loop/loop.h"

namespace collet::service {

// Calls back on the loop at SIGINT, SIGTERM and SIGHUP, but for those that the process was started to ignore, as by
// nohup.
class Interruption {
 public:
  Interruption(loop::Loop& loop, const std::function<void()>& callback);

 private:
  std::vector<std::unique_ptr<const loop::Signal>> signals_;
};

}  // namespace collet::service
