#include "registry/shapes.h"

#include <array>
#include <mutex>
#include <optional>

#include "base/json.h"
#include "base/json_members.h"
#include "schema/schema.h"

namespace collet::registry {
namespace {

// From the schema of 2026-07-28; `execution` from that of 2025-11-25.
constexpr std::string_view kDefinitions = R"json("$defs": {
  "present": {"type": ["object", "array", "string", "number", "boolean"]},
  "role": {"enum": ["user", "assistant"]},
  "annotations": {"type": "object", "properties": {
    "audience": {"type": "array", "items": {"$ref": "#/$defs/role"}},
    "priority": {"type": "number", "minimum": 0, "maximum": 1},
    "lastModified": {"type": "string"}}},
  "icons": {"type": "array", "items": {"type": "object", "required": ["src"], "properties": {
    "src": {"type": "string"},
    "mimeType": {"type": "string"},
    "sizes": {"type": "array", "items": {"type": "string"}},
    "theme": {"enum": ["light", "dark"]}}}},
  "described": {"type": "object", "properties": {
    "name": {"type": "string"},
    "title": {"type": "string"},
    "description": {"type": "string"},
    "icons": {"$ref": "#/$defs/icons"},
    "_meta": {"type": "object"}}},
  "tool": {"$ref": "#/$defs/described", "properties": {
    "annotations": {"type": "object", "properties": {
      "title": {"type": "string"},
      "readOnlyHint": {"type": "boolean"},
      "destructiveHint": {"type": "boolean"},
      "idempotentHint": {"type": "boolean"},
      "openWorldHint": {"type": "boolean"}}},
    "inputSchema": {"$ref": "#/$defs/present"},
    "outputSchema": {"$ref": "#/$defs/present"},
    "execution": {"type": "object", "properties": {"taskSupport": {"enum": ["forbidden", "optional", "required"]}}}}},
  "resource": {"$ref": "#/$defs/described", "properties": {
    "mimeType": {"type": "string"},
    "size": {"type": "integer"},
    "annotations": {"$ref": "#/$defs/annotations"}}},
  "resource_template": {"$ref": "#/$defs/resource"},
  "prompt": {"$ref": "#/$defs/described", "properties": {
    "arguments": {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {
      "name": {"type": "string"},
      "title": {"type": "string"},
      "description": {"type": "string"},
      "required": {"type": "boolean"}}}}}},
  "block": {"type": "object", "required": ["type"],
    "properties": {"annotations": {"$ref": "#/$defs/annotations"}, "_meta": {"type": "object"}}},
  "text": {"properties": {"type": {"const": "text"}, "text": {"type": "string"}}, "required": ["text"]},
  "bytes": {"properties": {"data": {"type": "string"}, "mimeType": {"type": "string"}},
    "required": ["data", "mimeType"]},
  "content_block": {"$ref": "#/$defs/block",
    "properties": {"type": {"enum": ["text", "image", "audio", "resource_link", "resource"]}},
    "allOf": [
      {"if": {"properties": {"type": {"const": "text"}}}, "then": {"$ref": "#/$defs/text"}},
      {"if": {"properties": {"type": {"enum": ["image", "audio"]}}}, "then": {"$ref": "#/$defs/bytes"}},
      {"if": {"properties": {"type": {"const": "resource_link"}}}, "then":
        {"$ref": "#/$defs/resource", "properties": {"uri": {"type": "string"}}, "required": ["uri", "name"]}},
      {"if": {"properties": {"type": {"const": "resource"}}}, "then":
        {"properties": {"resource": {"$ref": "#/$defs/resource_contents"}}, "required": ["resource"]}}]},
  "resource_contents": {"type": "object", "required": ["uri"], "anyOf": [{"required": ["text"]}, {"required": ["blob"]}],
    "properties": {
      "uri": {"type": "string"},
      "mimeType": {"type": "string"},
      "text": {"type": "string"},
      "blob": {"type": "string"},
      "_meta": {"type": "object"}}},
  "prompt_message": {"type": "object", "required": ["role", "content"],
    "properties": {"role": {"$ref": "#/$defs/role"}, "content": {"$ref": "#/$defs/content_block"}}},
  "elicit_result": {"type": "object", "required": ["action"], "properties": {
    "action": {"enum": ["accept", "decline", "cancel"]},
    "content": {"type": "object"},
    "_meta": {"type": "object"}}},
  "sampled": {"$ref": "#/$defs/block",
    "if": {"properties": {"type": {"enum": ["tool_use", "tool_result"]}}},
    "then": {
      "if": {"properties": {"type": {"const": "tool_use"}}},
      "then": {"required": ["id", "name", "input"], "properties": {
        "id": {"type": "string"}, "name": {"type": "string"}, "input": {"type": "object"}}},
      "else": {"required": ["toolUseId", "content"], "properties": {
        "toolUseId": {"type": "string"},
        "content": {"type": "array", "items": {"$ref": "#/$defs/content_block"}},
        "isError": {"type": "boolean"}}}},
    "else": {"$ref": "#/$defs/content_block"}},
  "sampling_result": {"type": "object", "required": ["role", "content", "model"], "properties": {
    "role": {"$ref": "#/$defs/role"},
    "content": {
      "if": {"type": "array"}, "then": {"items": {"$ref": "#/$defs/sampled"}}, "else": {"$ref": "#/$defs/sampled"}},
    "model": {"type": "string"},
    "stopReason": {"type": "string"},
    "_meta": {"type": "object"}}},
  "roots_result": {"type": "object", "required": ["roots"], "properties": {
    "roots": {"type": "array", "items": {"type": "object", "required": ["uri"], "properties": {
      "uri": {"type": "string"}, "name": {"type": "string"}, "_meta": {"type": "object"}}}},
    "_meta": {"type": "object"}}}
})json";

constexpr std::string_view kNames[] = {
    "tool",           "resource",      "resource_template", "prompt",       "content_block", "resource_contents",
    "prompt_message", "elicit_result", "sampling_result",   "roots_result",
};

// Compiled when something of that shape comes first. The text is ours: a test holds it against the metaschema.
const schema::Schema& schema_of(Shape shape) {
  struct Compiled {
    std::once_flag once;
    std::optional<schema::Schema> schema;
  };
  static std::array<Compiled, std::size(kNames)> all;
  Compiled& its = all[static_cast<std::size_t>(shape)];
  std::call_once(its.once, [&] {
    auto schema = schema::Schema::compile_text(shape_text(shape), {.check_metaschema = false});
    COLLET_ASSERT(schema);
    its.schema = std::move(*schema);
  });
  return *its.schema;
}

// The part of a JSON Pointer up to the next slash, its escapes undone; the rest is left in `pointer`.
std::string take_step(std::string_view& pointer) {
  pointer.remove_prefix(1);
  const std::string_view raw = pointer.substr(0, pointer.find('/'));
  pointer.remove_prefix(raw.size());
  std::string step;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '~') {
      step += raw[i];
    } else if (++i < raw.size()) {
      step += raw[i] == '1' ? '/' : '~';
    }
  }
  return step;
}

// The text without what the pointer names, everything else as it is written.
std::string without(std::string_view json, std::string_view pointer) {
  const std::string step = take_step(pointer);
  const auto rest = [&](std::string_view name, std::string_view value) -> std::optional<std::string> {
    if (name != step) return std::string(value);
    if (pointer.empty()) return std::nullopt;
    return without(value, pointer);
  };
  const auto elements = json::split_array(json);
  if (!elements) return json::rewrite_members(json, rest);
  std::string out;
  for (std::size_t i = 0; i < elements->size(); ++i) {
    const auto kept = rest(std::to_string(i), (*elements)[i]);
    if (kept) out.append(out.empty() ? "" : ",").append(*kept);
  }
  return '[' + out + ']';
}

}  // namespace

std::string shape_text(Shape shape) {
  return fmt::format(R"({{"$ref":"#/$defs/{}",{}}})", kNames[static_cast<std::size_t>(shape)], kDefinitions);
}

Result<Fitted> fit(Shape shape, std::string_view object) {
  const schema::Schema& schema = schema_of(shape);
  Fitted out;
  out.given = object;
  for (;;) {
    json::Document document;
    if (const auto bad = json::parse(out.text(), document, {limits::kPluginJsonDepthMax})) {
      return error("is not JSON: {} at byte {}", bad->message, bad->offset);
    }
    if (!document.IsObject()) return error("is not a JSON object");
    if (schema.validate(document).valid()) return out;
    const schema::Report report = schema.explain(document, 1);
    if (report.violations.empty()) return error("is too large to be checked: {}", report.to_text());
    const schema::Violation& wrong = report.violations.front();
    if (wrong.instance.empty()) {
      return error("is wrong: {}", out.left_out.empty() ? wrong.to_message() : out.left_out.front());
    }
    if (out.left_out.size() >= limits::kMendedMembersMax || out.text().size() > limits::kDefinitionBytesMax) {
      return error("has too much that is wrong: {}", wrong.to_message());
    }
    out.mended = without(out.text(), wrong.instance);
    out.left_out.push_back(wrong.to_message());
  }
}

}  // namespace collet::registry
