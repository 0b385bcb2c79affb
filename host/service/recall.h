// What remotes have offered to an earlier process is offered before they are up.
#pragma once

#include "service/host.h"

namespace collet::service {

// After load(), before what is offered is served: waits until the plugin that imports from remotes has found out what it remembers of
// them, for limits::kRecallMs at most. Does nothing where there is no such plugin, or it does not remember.
void await_recall(Host& host);

}  // namespace collet::service
