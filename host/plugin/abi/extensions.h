// What the host offers beyond its table, by id: one header each in collet/ext/.
#pragma once

#include <string_view>

#include "plugin/abi/host_table.h"

namespace collet::plugin {

// The extension's table for the generation of that side, which lives as long as the host; null if there is none of
// that id.
const void* find_extension(std::string_view id, const HostSide& side);

}  // namespace collet::plugin
