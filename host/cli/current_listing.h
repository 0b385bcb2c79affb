// What is offered now, for verbs that show it.
#pragma once

#include <string>

#include "base/callback.h"
#include "cli/configuration.h"

namespace collet::cli {

// Has `show` tell a listing, as service::to_json() makes it: of the running server of that configuration or, with `fresh` or
// where there is none, of the plugins, loaded to see. Returns the exit code: of `show`, or of why there is no listing.
int with_listing(const CommonOptions& common, bool fresh, Callback<int(const std::string& listing)> show);

}  // namespace collet::cli
