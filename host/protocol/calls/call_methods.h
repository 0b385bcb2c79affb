// tools/call, prompts/get and completion/complete, up to the point where the item is known and its call begins.
#pragma once

#include "protocol/request.h"

namespace collet::protocol {

class ServerLoop;

void call_tool(ServerLoop& loop, RequestPtr request);
void get_prompt(ServerLoop& loop, RequestPtr request);
void complete(ServerLoop& loop, RequestPtr request);

}  // namespace collet::protocol
