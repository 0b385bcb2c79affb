// What plugins serve over HTTP, below registry::kRoutesPath (collet.http.draft/1).
#pragma once

#include "protocol/http/route.h"

namespace collet::protocol {

class ServerLoop;

// Of that loop, which outlives it: finds the route, and has the loop call it.
Route plugin_routes(ServerLoop& loop);

}  // namespace collet::protocol
