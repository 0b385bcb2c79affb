// Plugins for a verb that ends by itself.
#pragma once

#include "base/result.h"
#include "cli/configuration.h"
#include "service/host.h"

namespace collet::cli {

// Loads what the host's configuration names, and waits until each remote has offered what it has, or could not be reached; runs the
// main loop. An error if that is the one server that the options name, or at an interruption.
Result<void> load_and_await_remotes(service::Host& host, const CommonOptions& options);

}  // namespace collet::cli
