// What an ending looks like as the result of a call.
#pragma once

#include <string>
#include <string_view>

#include "registry/item.h"

namespace collet::registry {

// An error of a tool, which the model is told and may mend.
Ending tool_error(std::string_view message);

Ending failed(int rpc_code, std::string message);

// An error of JSON-RPC that says what is wrong with what a call was to be made with.
Ending bad_params(std::string_view why);

// That a call came to nothing: a tool's error, or an error of JSON-RPC for what is no tool.
Ending failure(CallKind kind, std::string message);

// Of a completion: values, hasMore, total and what else the plugin has said: as many values as an answer may have, and whether
// and how many there are beside them.
std::string completion_text(const Ending& ending);

// The whole result object of a completed call, in no version of MCP in particular.
std::string result_text(CallKind kind, const Ending& completed);

}  // namespace collet::registry
