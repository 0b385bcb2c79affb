// The tables of collet.tools.draft/1 and collet.registry.draft/1, for plugins that have peers.
#pragma once

#include "collet/ext/draft/registry.h"
#include "collet/ext/draft/tools.h"

namespace collet::plugin {

extern const collet_tools kToolsTable;
extern const collet_registry kRegistryTable;

}  // namespace collet::plugin
