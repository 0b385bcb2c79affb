// The table of collet.store.draft/1, for plugins that have records.
#pragma once

#include "collet/ext/draft/store.h"

namespace collet::plugin {

extern const collet_store kStoreTable;

}  // namespace collet::plugin
