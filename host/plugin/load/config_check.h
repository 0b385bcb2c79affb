// A plugin's config, held against the configSchema that the plugin states.
#pragma once

#include <string_view>

#include "base/result.h"

namespace collet::plugin {

// `info` is what the plugin says of itself, `config` the JSON object that it is to be given, `places` a text of ConfigPlaces. An
// error has a line for each mistake, in the order of the file: where it is, of which key, and what would be right; or it says that
// the configSchema is none.
Result<void> check_config(std::string_view info, std::string_view config, std::string_view places);

}  // namespace collet::plugin
