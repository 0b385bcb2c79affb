#include "registry/ending.h"

#include <fmt/core.h>

#include "mcp/content.h"

namespace collet::registry {

Ending tool_error(std::string_view message) {
  Ending ending;
  ending.is_error = true;
  ending.content = mcp::text_block(message);
  return ending;
}

Ending failed(int rpc_code, std::string message) {
  Ending ending;
  ending.how = Ending::How::failed;
  ending.rpc_code = rpc_code;
  ending.message = std::move(message);
  return ending;
}

// In the words in which a client is told so (protocol/calls/call_methods.cc).
Ending bad_params(std::string_view why) { return failed(mcp::kInvalidParams, fmt::format("Invalid params: {}", why)); }

Ending failure(CallKind kind, std::string message) {
  return kind == CallKind::tool ? tool_error(message) : failed(mcp::kInternalError, std::move(message));
}

std::string result_text(CallKind kind, const Ending& completed) {
  std::string text = fmt::format(R"({{"{}":[{}])", mcp::names_of(kind).array, completed.content);
  if (!completed.structured.empty()) text += R"(,"structuredContent":)" + completed.structured;
  if (!completed.fields.empty()) text += "," + completed.fields;
  if (!completed.meta.empty()) text += R"(,"_meta":)" + completed.meta;
  return text + (completed.is_error ? R"(,"isError":true})" : "}");
}

}  // namespace collet::registry
