// What a guard is to guard, and whom it tells.
#pragma once

#include <functional>
#include <string>

#include "base/placement.h"
#include "base/result.h"

namespace collet::worker {

struct GuardOrder {
  std::string name;  // of the plugin in the configuration
  std::string view;  // what the plugin's library lies in
  Permissions permissions;
  // On the guard's thread: something was denied, in words that say what would allow it.
  std::function<void(const std::string& denial)> denied;

  // What of the configuration would allow it is in here.
  std::string section() const { return "plugin." + name + ".permissions"; }
  void tell(const std::string& what) const { denied(fmt::format("plugin {}: {}", name, what)); }
};

}  // namespace collet::worker
