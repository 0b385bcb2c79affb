// The keys of [remote.<name>], which the plugin that imports from remotes states: plugins/client/offer/remote_keys.h.
#pragma once

#include <string_view>

namespace collet::config {

extern const std::string_view kRemoteKeys;  // a JSON Schema, made by the build

}  // namespace collet::config
