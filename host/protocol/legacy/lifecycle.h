// server/discover (modern); initialize, ping and logging/setLevel (legacy).
#pragma once

#include "protocol/request.h"

namespace collet::protocol {

class ServerLoop;

void discover(ServerLoop& loop, RequestPtr request);
void initialize(ServerLoop& loop, RequestPtr request);
void ping(ServerLoop& loop, RequestPtr request);
void set_level(ServerLoop& loop, RequestPtr request);

}  // namespace collet::protocol
