#include "registry/ending.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/text.h"
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

std::string completion_text(const Ending& ending) {
  const std::string array = '[' + ending.content + ']';  // which the values lie in
  const auto values = json::split_array(array);
  const std::size_t count = values ? values->size() : 0;
  const bool cut = count > limits::kCompletionValuesMax;
  std::string out = R"({"values":[)";
  for (std::size_t i = 0; i < std::min<std::size_t>(count, limits::kCompletionValuesMax); ++i) {
    if (i > 0) out += ',';
    out += (*values)[i];
  }
  out += ']';
  json::Document fields;
  if (json::parse('{' + ending.fields + '}', fields)) fields.SetObject();
  const json::Value* total = json::find(fields, "total");
  const json::Value* more = json::find(fields, "hasMore");
  if (total && total->IsUint64() && total->GetUint64() >= count) {
    out += fmt::format(R"(,"total":{})", total->GetUint64());
  } else if (cut) {
    out += fmt::format(R"(,"total":{})", count);
  }
  if (cut || (more && more->IsBool())) out += fmt::format(R"(,"hasMore":{})", cut || more->GetBool());
  for (const auto& field : std::as_const(fields).GetObject()) {
    const std::string_view key = json::view(field.name);
    if (key == "total" || key == "hasMore") continue;
    out += ',';
    text::append_json_string(out, key);
    out += ':';
    json::append(out, field.value);
  }
  return out + '}';
}

std::string result_text(CallKind kind, const Ending& completed) {
  if (kind == CallKind::complete) return R"({"completion":)" + completion_text(completed) + '}';
  std::string text = fmt::format(R"({{"{}":[{}])", mcp::names_of(kind).array, completed.content);
  if (!completed.structured.empty()) text += R"(,"structuredContent":)" + completed.structured;
  if (!completed.fields.empty()) text += "," + completed.fields;
  if (!completed.meta.empty()) text += R"(,"_meta":)" + completed.meta;
  return text + (completed.is_error ? R"(,"isError":true})" : "}");
}

}  // namespace collet::registry
