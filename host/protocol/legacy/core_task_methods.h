// tasks/get, tasks/result, tasks/list and tasks/cancel of 2025-11-25 (basic/utilities/tasks).
#pragma once

#include "protocol/request.h"

namespace collet::protocol {

class ServerLoop;

void get_core_task(ServerLoop& loop, RequestPtr request);
void await_core_task(ServerLoop& loop, RequestPtr request);
void list_core_tasks(ServerLoop& loop, RequestPtr request);
void cancel_core_task(ServerLoop& loop, RequestPtr request);

}  // namespace collet::protocol
