// One plugin alone, for verbs that look at it.
#pragma once

#include <string>

#include "base/result.h"
#include "config/config.h"

namespace collet::cli {

// The configuration with that plugin and nothing else to load. `plugin` is the file of a library, which is configured as the plugin
// of `config` that has this file, or else its name; or it is the id of one of the plugins of `config`.
Result<config::Config> only_plugin(const config::Config& config, const std::string& plugin);

}  // namespace collet::cli
