// The table of collet.events.draft/1, for plugins that have streams.
#pragma once

#include "collet/ext/draft/events.h"

namespace collet::plugin {

extern const collet_events kEventsTable;

}  // namespace collet::plugin
