// From configuration to the plugins that are to be loaded.
#pragma once

#include <vector>

#include "config/config.h"
#include "plugin/replace/stage.h"

namespace collet::service {

// The plugins in the order of the file, then those of the folders that it does not mention, but for libraries that are
// no plugins and never were. The first file of a name counts. What has no library goes on with that of `before`, if it is there; if it is nowhere it is expected in
// the first folder.
std::vector<plugin::PluginSpec> plugin_specs(const config::Config& config,
                                             const std::vector<plugin::PluginSpec>& before = {});

// Those of `before` that are missing now as their files are.
std::vector<plugin::PluginSpec> vanished(const std::vector<plugin::PluginSpec>& before,
                                         const std::vector<plugin::PluginSpec>& now);

}  // namespace collet::service
