// The result of tools/call, as both eras have it.
#pragma once

#include <string_view>

#include "protocol/request.h"
#include "registry/item.h"

namespace collet::protocol {

class Server;

// An error that the model is told, and may mend.
registry::Ending tool_error(std::string_view message);

// Answers with a completed call's result.
void answer(Request& request, const Server& server, const registry::Ending& completed);

}  // namespace collet::protocol
