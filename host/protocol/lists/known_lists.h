// What the clients of sessions know of their lists: a client that has a view is told of a list only if its own has changed.
#pragma once

#include "protocol/legacy/session.h"
#include "protocol/lists/loop_catalog.h"
#include "registry/item.h"

namespace collet::protocol {

// Takes note of what the session's client finds in its lists, if it has a view.
void note_lists(LoopCatalog& catalog, Session& session);
// Whether the client is to be told of a list that has changed, perhaps several times; takes note of what it is now.
bool list_is_news(LoopCatalog& catalog, Session& session, registry::Kind kind, bool several = false);

}  // namespace collet::protocol
