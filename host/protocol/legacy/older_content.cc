#include "protocol/legacy/older_content.h"

#include "base/json.h"
#include "base/json_members.h"
#include "base/text.h"
#include "mcp/content.h"
#include "mcp/names.h"

namespace collet::protocol {
namespace {

constexpr std::string_view kFirstWithLinks = "2025-06-18";
constexpr std::string_view kFirstWithAudio = "2025-03-26";
constexpr std::string_view kFirstWithAnyStructure = "2026-07-28";

std::string_view member(const json::Value& object, std::string_view key) {
  return json::find_string(object, key).value_or("");
}

// "Title: description, uri"
void append_link(std::string& out, const json::Value& link) {
  std::string text(member(link, "title").empty() ? member(link, "name") : member(link, "title"));
  if (const auto description = member(link, "description"); !description.empty()) {
    text += ": ";
    text += description;
  }
  text += text.empty() ? "" : ", ";
  text += member(link, "uri");
  mcp::append_text_block(out, text);
}

void append_audio(std::string& out, const json::Value& audio) {
  out += fmt::format(R"({{"type":"resource","resource":{{"uri":"{}","mimeType":)", mcp::kEmbeddedUri);
  text::append_json_string(out, member(audio, "mimeType"));
  out += R"(,"blob":)";
  text::append_json_string(out, member(audio, "data"));
  out += "}}";
}

void append_block(std::string& out, std::string_view version, const json::Value& block) {
  const std::string_view type = member(block, "type");
  if (type == "resource_link") {
    append_link(out, block);
  } else if (type == "audio" && version < kFirstWithAudio) {
    append_audio(out, block);
  } else {
    json::append(out, block);
  }
}

void append_message(std::string& out, std::string_view version, const json::Value& message) {
  out += R"({"role":)";
  text::append_json_string(out, member(message, "role"));
  if (const json::Value* block = json::find(message, "content")) {
    out += R"(,"content":)";
    append_block(out, version, *block);
  }
  out += '}';
}

std::string without_boolean_properties(std::string_view schema) {
  return json::rewrite_members(schema, [](std::string_view key, std::string_view value) -> std::optional<std::string> {
    if (key != "properties") return std::string(value);
    return json::rewrite_members(value, [](std::string_view, std::string_view property) -> std::optional<std::string> {
      if (property == "true") return "{}";
      return property == "false" ? R"({"not":{}})" : std::string(property);
    });
  });
}

bool has_boolean_properties(const json::Value& schema) {
  const json::Value* properties = json::find(schema, "properties");
  if (!properties || !properties->IsObject()) return false;
  for (const auto& property : properties->GetObject()) {
    if (property.value.IsBool()) return true;
  }
  return false;
}

}  // namespace

std::string_view older_structured(std::string_view version, std::string_view structured) {
  if (version >= kFirstWithAnyStructure) return structured;
  const std::size_t first = structured.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && structured[first] == '{' ? structured : std::string_view();
}

std::optional<std::string> older_definition(std::string_view definition, const json::Value& parsed) {
  const json::Value* input = json::find(parsed, mcp::kInputSchema);
  const json::Value* output = json::find(parsed, mcp::kOutputSchema);
  const bool drop_output = output && json::find_string(*output, "type") != "object";
  if (!drop_output && !(input && has_boolean_properties(*input)) && !(output && has_boolean_properties(*output))) {
    return std::nullopt;
  }
  return json::rewrite_members(definition,
                         [&](std::string_view key, std::string_view value) -> std::optional<std::string> {
                           if (key == mcp::kOutputSchema && drop_output) return std::nullopt;
                           const bool is_schema = key == mcp::kInputSchema || key == mcp::kOutputSchema;
                           return is_schema ? without_boolean_properties(value) : std::string(value);
                         });
}

std::string older_content(std::string_view version, registry::CallKind kind, std::string_view content) {
  if (version >= kFirstWithLinks) return {};
  const bool is_prompt = kind == registry::CallKind::prompt;
  if (!is_prompt && kind != registry::CallKind::tool) return {};
  const bool may_be_new = content.find(R"("resource_link")") != std::string_view::npos ||
                          (version < kFirstWithAudio && content.find(R"("audio")") != std::string_view::npos);
  json::Document all;
  if (!may_be_new || json::parse('[' + std::string(content) + ']', all)) return {};
  std::string out;
  for (const json::Value& each : all.GetArray()) {
    if (!out.empty()) out += ',';
    if (is_prompt) {
      append_message(out, version, each);
    } else {
      append_block(out, version, each);
    }
  }
  return out;
}

}  // namespace collet::protocol
