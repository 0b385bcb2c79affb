#include "registry/definition.h"

#include "base/json.h"

namespace collet::registry {
namespace {

Result<void> check_schemas(const json::Value& tool) {
  if (const json::Value* input = json::find(tool, "inputSchema")) {
    if (!input->IsObject()) return error("its inputSchema is not an object");
    if (json::find_string(*input, "type") != "object")
      return error(R"(its inputSchema is not of "type": "object")");
  }
  if (const json::Value* output = json::find(tool, "outputSchema"); output && !output->IsObject()) {
    return error("its outputSchema is not an object");
  }
  return {};
}

}  // namespace

Result<void> check_definition(Kind kind, std::string_view definition) {
  json::Document document;
  if (auto bad = json::parse(definition, document)) {
    return error("its definition is not JSON: {} at byte {}", bad->message, bad->offset);
  }
  if (!document.IsObject()) return error("its definition is not a JSON object");
  for (std::string_view reserved : {"name", "uri", "uriTemplate"}) {
    const bool is_a_resources_name =
        reserved == "name" && (kind == Kind::resource || kind == Kind::resource_template);
    if (!is_a_resources_name && json::find(document, reserved)) {
      return error("its definition has the member {}, which the host writes", reserved);
    }
  }
  return kind == Kind::tool ? check_schemas(document) : Result<void>();
}

}  // namespace collet::registry
