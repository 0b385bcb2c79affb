// A call by a verb that loads plugins to make it.
#pragma once

#include "cli/configuration.h"
#include "cli/terminal_call.h"

namespace collet::cli {

// Makes it with what the configuration names; the common options say how long it may take, and whether JSON is wanted. Returns
// the exit code.
int make_lone_call(const config::Config& config, const CommonOptions& common, TerminalCall call, Output& out);
// Likewise, with the configuration that the options name.
int make_lone_call(const CommonOptions& common, TerminalCall call, Output& out);

}  // namespace collet::cli
