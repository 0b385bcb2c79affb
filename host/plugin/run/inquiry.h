// Asks a generation how it is, for as long as it is there to be asked.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>

#include "plugin/run/thread.h"

namespace collet::plugin {

class PluginFunctions;

// Shared by the generation and those who ask. Any thread.
class Inquiry {
 public:
  // `functions` is borrowed until end_by() has returned true.
  explicit Inquiry(const PluginFunctions& functions) : functions_(&functions) {}

  // Runs the plugin's status(), as PluginFunctions::status(). Empty once it has ended.
  std::string status();
  // Nobody is asked from now on; false if the plugin's status() has not returned by the deadline.
  bool end_by(Clock::time_point deadline);

 private:
  std::mutex mutex_;  // guards all below; not held while plugin code runs
  std::condition_variable changed_;
  const PluginFunctions* functions_;  // null: it has ended
  unsigned under_way_ = 0;
};

}  // namespace collet::plugin
