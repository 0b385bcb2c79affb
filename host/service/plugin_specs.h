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

// Adds to `now` those of `before` that are missing as their files are; one that imports from remotes in place of the one that is to
// do so now.
void keep_vanished(const std::vector<plugin::PluginSpec>& before, std::vector<plugin::PluginSpec>& now);

}  // namespace collet::service
