// The table of collet.fetch.draft/1, for plugins that may fetch.
#pragma once

#include "collet/ext/draft/fetch.h"

namespace collet::plugin {

extern const collet_fetch kFetchTable;

}  // namespace collet::plugin
