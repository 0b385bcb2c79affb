#include "registry/definition.h"

#include "base/json.h"

namespace collet::registry {
namespace {

Result<SchemaPtr> compile(std::string_view member, const json::Value& definition, SchemaCache& cache) {
  const json::Value* value = json::find(definition, member);
  if (!value) return SchemaPtr();
  if (!value->IsObject()) return error("its {} is not an object", member);
  const auto [entry, fresh] = cache.try_emplace(json::to_text(*value));
  if (!fresh && entry->second) return entry->second;
  auto compiled = schema::Schema::compile(*value);
  if (!compiled) return error("its {} is no good: {}", member, compiled.message());
  entry->second = std::make_shared<const schema::Schema>(std::move(*compiled));
  return entry->second;
}

Result<Compiled> read_tool(const json::Value& definition, SchemaCache& cache) {
  auto input = compile("inputSchema", definition, cache);
  if (!input) return input.failure();
  if (*input && json::find_string(*json::find(definition, "inputSchema"), "type") != "object") {
    return error(R"(its inputSchema is not of "type": "object")");
  }
  auto output = compile("outputSchema", definition, cache);
  if (!output) return output.failure();
  return Compiled{std::move(*input), std::move(*output), {}};
}

}  // namespace

Result<Compiled> read_definition(const ItemDef& def, SchemaCache& cache) {
  json::Document document;
  if (auto bad = json::parse(def.definition, document)) {
    return error("its definition is not JSON: {} at byte {}", bad->message, bad->offset);
  }
  if (!document.IsObject()) return error("its definition is not a JSON object");
  for (std::string_view reserved : {"name", "uri", "uriTemplate"}) {
    const bool is_a_resources_name =
        reserved == "name" && (def.kind == Kind::resource || def.kind == Kind::resource_template);
    if (!is_a_resources_name && json::find(document, reserved)) {
      return error("its definition has the member {}, which the host writes", reserved);
    }
  }
  if (def.kind == Kind::tool) return read_tool(document, cache);
  Compiled compiled;
  if (def.kind == Kind::resource_template) {
    auto uri_template = UriTemplate::parse(def.name);
    if (!uri_template) return uri_template.failure();
    compiled.uri_template = std::move(*uri_template);
  }
  return compiled;
}

std::optional<std::string> check_arguments(const Compiled& compiled, std::string_view tool,
                                           const json::Value* arguments) {
  static const json::Value kNone(rapidjson::kObjectType);
  if (!compiled.input) return std::nullopt;
  const json::Value& given = arguments ? *arguments : kNone;
  if (compiled.input->validate(given).valid()) return std::nullopt;
  return fmt::format("Invalid arguments for {}:\n{}", tool, compiled.input->explain(given).to_text());
}

std::optional<std::string> check_structured(const schema::Schema& output, std::string_view structured) {
  if (structured.empty()) return "it promised structured content by its outputSchema and gave none";
  json::Document document;
  if (auto bad = json::parse(structured, document)) return "its structured content is not JSON: " + bad->message;
  if (output.validate(document).valid()) return std::nullopt;
  return "its structured content does not fit its outputSchema:\n" + output.explain(document).to_text();
}

}  // namespace collet::registry
