#include "registry/ending.h"

#include "base/text.h"

namespace collet::registry {

std::string text_block(std::string_view text) {
  std::string block = R"({"type":"text","text":)";
  text::append_json_string(block, text);
  return block + '}';
}

Ending tool_error(std::string_view message) {
  Ending ending;
  ending.is_error = true;
  ending.content = text_block(message);
  return ending;
}

Ending failed(int rpc_code, std::string message) {
  Ending ending;
  ending.how = Ending::How::failed;
  ending.rpc_code = rpc_code;
  ending.message = std::move(message);
  return ending;
}

Ending failure(CallKind kind, std::string message) {
  return kind == CallKind::tool ? tool_error(message) : failed(kInternalError, std::move(message));
}

std::string_view noun(CallKind kind) {
  switch (kind) {
    case CallKind::tool:
      return "tool";
    case CallKind::prompt:
      return "prompt";
    case CallKind::resource:
      return "resource";
    case CallKind::complete:
      return "completion";
    case CallKind::route:
      return "route";
  }
  return {};
}

std::string_view opening_of_result(CallKind kind) {
  switch (kind) {
    case CallKind::tool:
      return R"({"content":[)";
    case CallKind::resource:
      return R"({"contents":[)";
    case CallKind::prompt:
      return R"({"messages":[)";
    case CallKind::complete:
      return R"({"values":[)";
    case CallKind::route:
      break;
  }
  return {};
}

std::string result_text(CallKind kind, const Ending& completed) {
  std::string text(opening_of_result(kind));
  text += completed.content + "]";
  if (!completed.structured.empty()) text += R"(,"structuredContent":)" + completed.structured;
  if (!completed.fields.empty()) text += "," + completed.fields;
  if (!completed.meta.empty()) text += R"(,"_meta":)" + completed.meta;
  return text + (completed.is_error ? R"(,"isError":true})" : "}");
}

}  // namespace collet::registry
