#include "registry/definition.h"

#include <algorithm>
#include <limits>

#include "base/json.h"
#include "base/text.h"
#include "registry/names.h"
#include "registry/shapes.h"

namespace collet::registry {
namespace {

Result<SchemaPtr> compile(std::string_view member, const json::Value& definition, SchemaCache& cache,
                          std::int64_t steps_max) {
  const json::Value* value = json::find(definition, member);
  if (!value) return SchemaPtr();
  if (!value->IsObject()) return error("its {} is not an object", member);
  const auto [entry, fresh] = cache.try_emplace(json::to_text(*value));
  if (!fresh && entry->second) return entry->second;
  schema::Options options;
  options.limits.fuel = steps_max;
  auto compiled = schema::Schema::compile(*value, options);
  if (!compiled) return error("its {} is no good: {}", member, compiled.message());
  entry->second = std::make_shared<const schema::Schema>(std::move(*compiled));
  return entry->second;
}

bool is_mirrorable(const json::Value& schema) {
  const auto type = json::find_string(schema, "type");
  return type == "string" || type == "integer" || type == "boolean";
}

// Walks down chains of `properties`, the only places where x-mcp-header means anything.
Result<void> read_mirrored(const json::Value& schema, std::vector<std::string>& path, Compiled& out) {
  const json::Value* properties = json::find(schema, "properties");
  if (!properties || !properties->IsObject()) return {};
  for (const auto& property : properties->GetObject()) {
    path.emplace_back(json::view(property.name));
    if (const json::Value* name = json::find(property.value, "x-mcp-header")) {
      if (!name->IsString() || !text::is_token(json::view(*name)) || !is_mirrorable(property.value)) {
        return error("its x-mcp-header of {} must be a header name, on a string, integer or boolean", path.back());
      }
      std::string header = "Mcp-Param-" + std::string(json::view(*name));
      for (const MirroredParameter& other : out.mirrored) {
        if (text::equals_ignoring_case(other.header, header)) return error("it has two parameters for {}", header);
      }
      out.mirrored.push_back({std::move(header), path});
    }
    if (auto below = read_mirrored(property.value, path, out); !below) return below;
    path.pop_back();
  }
  return {};
}

Result<SchemaPtr> compile_input(const json::Value& definition, SchemaCache& cache, std::int64_t steps_max) {
  auto input = compile(mcp::kInputSchema, definition, cache, steps_max);
  if (input && *input && json::find_string(*json::find(definition, mcp::kInputSchema), "type") != "object") {
    return error(R"(its inputSchema is not of "type": "object")");
  }
  return input;
}

// A tool that only reads destroys nothing and may be repeated.
unsigned read_hints(const json::Value& definition) {
  const json::Value* annotations = json::find(definition, "annotations");
  unsigned hints = 0;
  for (const mcp::HintNames& names : mcp::kHintTable) {
    const json::Value* hint =
        annotations && annotations->IsObject() ? json::find(*annotations, names.annotation) : nullptr;
    if (hint && hint->IsBool() ? hint->GetBool() : names.is_default) hints |= names.hint;
  }
  return hints & mcp::kReadOnly ? (hints | mcp::kIdempotent) & ~mcp::kDestructive : hints;
}

Result<Compiled> read_tool(const json::Value& definition, SchemaCache& cache, std::int64_t steps_max,
                           bool unchecked) {
  Compiled compiled;
  compiled.hints = read_hints(definition);
  auto input = compile_input(definition, cache, steps_max);
  auto output = compile(mcp::kOutputSchema, definition, cache, steps_max);
  if (!unchecked && !input) return input.failure();
  if (!unchecked && !output) return output.failure();
  compiled.unread = !input ? input.message() : !output ? output.message() : "";
  compiled.output_unread = !output;
  if (input) compiled.input = std::move(*input);
  if (output) compiled.output = std::move(*output);
  if (const json::Value* schema = json::find(definition, mcp::kInputSchema); schema && schema->IsObject()) {
    std::vector<std::string> path;
    if (auto good = read_mirrored(*schema, path, compiled); !good) return good.failure();
  }
  return compiled;
}

// {"streamed":true,"bodyBytesMax":1000000}: how much there may be of a body that is taken as it comes; 0: bodies are taken whole.
Result<std::size_t> read_streamed(const json::Value& definition) {
  const json::Value* streamed = json::find(definition, "streamed");
  const json::Value* most = json::find(definition, "bodyBytesMax");
  if (streamed && !streamed->IsBool()) return error("its streamed must be true or false");
  const bool is_streamed = streamed && streamed->GetBool();
  if (!most) return is_streamed ? std::numeric_limits<std::size_t>::max() : std::size_t{0};  // as much as the host allows
  if (!is_streamed) return error("its bodyBytesMax is for a route that is streamed");
  if (!most->IsUint64() || most->GetUint64() == 0) return error("its bodyBytesMax must be a number of bytes");
  return static_cast<std::size_t>(most->GetUint64());
}

// {"methods":["GET","POST"]}; without them it is GET. A route that takes GET takes HEAD (RFC 9110 §9.3.2).
Result<Compiled> read_route(std::string_view path, const json::Value& definition) {
  if (!is_route_path(path)) {
    return error("its path is not valid: segments behind slashes, none of them empty, . or .., with %XX only where it is needed");
  }
  constexpr int kOfHost = 2;  // "/plugins/web"
  if (std::ranges::count(path, '/') + kOfHost > limits::kRouteSegmentsMax) {
    return error("its path has over {} segments", limits::kRouteSegmentsMax - kOfHost);
  }
  const std::size_t star = path.find('*');
  const bool is_last_segment = star + 1 == path.size() && path[star - 1] == '/';
  if (star != path.npos && !is_last_segment) return error("* may only be its path's last segment");
  const json::Value* given = json::find(definition, "methods");
  std::vector<std::string> methods;
  if (given && given->IsArray()) {
    for (const json::Value& method : given->GetArray()) methods.emplace_back(method.IsString() ? json::view(method) : "");
  } else if (!given) {
    methods.emplace_back("GET");
  }
  const bool are_good = !methods.empty() && std::ranges::all_of(methods, text::is_token);
  if (!are_good) return error("its methods must be an array of HTTP's: [\"GET\", \"POST\"]");
  if (std::ranges::count(methods, "GET") && !std::ranges::count(methods, "HEAD")) methods.emplace_back("HEAD");
  const Result<std::size_t> streamed = read_streamed(definition);
  if (!streamed) return streamed.failure();
  Compiled compiled;
  compiled.streamed_bytes_max = *streamed;
  const bool only_reads = std::ranges::all_of(methods, [](const std::string& method) { return method == "GET" || method == "HEAD"; });
  if (!only_reads) compiled.hints = mcp::kDestructive | mcp::kOpenWorld;
  for (const std::string& method : methods) compiled.methods += (compiled.methods.empty() ? "" : ", ") + method;
  return compiled;
}

Shape shape_of(Kind kind) {
  switch (kind) {
    case Kind::resource:
      return Shape::resource;
    case Kind::resource_template:
      return Shape::resource_template;
    case Kind::prompt:
      return Shape::prompt;
    case Kind::tool:
    case Kind::route:
      break;
  }
  return Shape::tool;
}

std::string explain(const schema::Schema& schema, const json::Value& value, const schema::Verdict& verdict) {
  constexpr const char* kKey = "\nserver.limits.schema_steps_max sets how many there may be";
  return schema.explain(value).to_text() + (verdict.limit == schema::Limit::fuel ? kKey : "");
}

// The required argument of a prompt that its definition names and is not given; empty: none.
std::string missing_argument(const ItemDef& prompt, const json::Value* given) {
  json::Document definition;
  if (json::parse(prompt.definition, definition)) return {};
  const json::Value* arguments = json::find(definition, "arguments");
  if (!arguments || !arguments->IsArray()) return {};
  for (const json::Value& argument : arguments->GetArray()) {
    const auto name = json::find_string(argument, "name");
    const json::Value* required = json::find(argument, "required");
    if (name && required && required->IsTrue() && !(given && json::find(*given, *name))) return std::string(*name);
  }
  return {};
}

bool are_strings(const json::Value& arguments) {
  if (!arguments.IsObject()) return false;
  for (const auto& member : arguments.GetObject()) {
    if (!member.value.IsString()) return false;
  }
  return true;
}

}  // namespace

Result<Compiled> read_definition(ItemDef& def, SchemaCache& cache, std::int64_t schema_steps_max) {
  if (def.kind == Kind::route) {
    json::Document route;
    COLLET_ASSERT(!json::parse(def.definition, route));
    return read_route(def.name, route);
  }
  auto fitted = fit(shape_of(def.kind), def.definition);
  if (!fitted) return error("its definition {}", fitted.message());
  if (!fitted->left_out.empty()) def.definition = std::move(fitted->mended);
  json::Document document;
  COLLET_ASSERT(!json::parse(def.definition, document));
  for (const mcp::KindNames& any : mcp::kListedKindTable) {
    const bool is_a_resources_name = mcp::has_uri_name(def.kind) && !mcp::has_uri_name(any.kind);
    if (!is_a_resources_name && json::find(document, any.name_member)) {
      return error("its definition has the member {}, which the host writes", any.name_member);
    }
  }
  Compiled compiled;
  if (def.kind == Kind::tool) {
    auto tool = read_tool(document, cache, schema_steps_max, def.traits.unchecked);
    if (!tool) return tool.failure();
    compiled = std::move(*tool);
  }
  compiled.left_out = std::move(fitted->left_out);
  if (def.kind == Kind::resource_template) {
    auto uri_template = UriTemplate::parse(def.name);
    if (!uri_template) return uri_template.failure();
    compiled.uri_template = std::move(*uri_template);
  }
  return compiled;
}

std::optional<std::string> check_arguments(const Compiled& compiled, const ItemDef& def, std::string_view tool,
                                           const json::Value* arguments) {
  static const json::Value kNone(rapidjson::kObjectType);
  if (!compiled.input || def.traits.unchecked) return std::nullopt;
  const json::Value& given = arguments ? *arguments : kNone;
  const schema::Verdict verdict = compiled.input->validate(given);
  if (verdict.valid()) return std::nullopt;
  return fmt::format("Invalid arguments for {}:\n{}", tool, explain(*compiled.input, given, verdict));
}

std::optional<std::string> check_prompt_arguments(const ItemDef& def, const json::Value* arguments) {
  if (arguments && !are_strings(*arguments)) return "arguments must be an object of strings";
  const std::string missing = missing_argument(def, arguments);
  if (missing.empty()) return std::nullopt;
  return fmt::format("the argument {} is missing", missing);
}

std::optional<std::string> check_structured(const schema::Schema& output, std::string_view structured) {
  if (structured.empty()) return "it promised structured content by its outputSchema and gave none";
  json::Document document;
  if (auto bad = json::parse(structured, document)) return "its structured content is not JSON: " + bad->message;
  const schema::Verdict verdict = output.validate(document);
  if (verdict.valid()) return std::nullopt;
  return "its structured content does not fit its outputSchema:\n" + explain(output, document, verdict);
}

}  // namespace collet::registry
