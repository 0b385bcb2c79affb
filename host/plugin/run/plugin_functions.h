// What the host may ask of a plugin besides calls: quiesce(), and the extensions that the plugin offers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "plugin/run/control.h"
#include "plugin/run/generation_spec.h"
#include "plugin/run/instance.h"

namespace collet::plugin {

// After create(), before destroy(). On the thread that the control thread belongs to, where nothing else is said.
class PluginFunctions {
 public:
  // Both are borrowed: the plugin, and where what may take its time is run.
  PluginFunctions(const Instance& instance, Control& control) : instance_(instance), control_(control) {}
  PluginFunctions(const PluginFunctions&) = delete;
  PluginFunctions& operator=(const PluginFunctions&) = delete;

  // See the functions of the same names in Generation.
  void quiesce(Clock::duration at_most);
  Result<std::optional<SavedState>> save_state(Clock::time_point deadline);
  std::optional<std::uint32_t> state_version() const;
  bool reconfigurable() const;
  bool reconfigure(const std::string& config, Clock::time_point deadline);
  // [any]
  std::string status() const;
  bool reports_status() const;
  void watch(std::string_view uri, bool watched) const;
  bool watches() const;

 private:
  const Instance& instance_;
  Control& control_;
  bool quiesced_ = false;
};

}  // namespace collet::plugin
