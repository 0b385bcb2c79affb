// Results of calls, as both eras have them.
#pragma once

#include <string_view>

#include "protocol/request.h"
#include "registry/item.h"

namespace collet::protocol {

class Server;

// Answers with a completed call's result.
void answer(Request& request, const Server& server, registry::CallKind kind, const registry::Ending& completed);

// Answers that the call came to nothing: a tool's error, or an error of JSON-RPC for what is no tool.
void answer_failure(Request& request, const Server& server, registry::CallKind kind, std::string message);

// Answers a modern client with what the plugin asks of it. `input_requests` is a JSON object's text, or empty.
void answer_input_required(Request& request, const Server& server, std::string_view input_requests,
                           std::string_view sealed_state);

}  // namespace collet::protocol
