// resources/read; resources/subscribe and /unsubscribe of the legacy era.
#pragma once

#include "protocol/request.h"

namespace collet::protocol {

class ServerLoop;

void read_resource(ServerLoop& loop, RequestPtr request);
void subscribe(ServerLoop& loop, RequestPtr request);
void unsubscribe(ServerLoop& loop, RequestPtr request);

}  // namespace collet::protocol
