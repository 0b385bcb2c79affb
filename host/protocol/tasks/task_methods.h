// tasks/get, tasks/update and tasks/cancel of the modern era.
#pragma once

#include "protocol/request.h"

namespace collet::protocol {

class ServerLoop;

void get_task(ServerLoop& loop, RequestPtr request);
void update_task(ServerLoop& loop, RequestPtr request);
void cancel_task(ServerLoop& loop, RequestPtr request);

}  // namespace collet::protocol
