#include "cli/tool_text.h"

#include <fmt/core.h>

#include "base/display.h"
#include "base/json_members.h"
#include "cli/columns.h"
#include "cli/fields.h"
#include "cli/table.h"
#include "mcp/names.h"
#include "mcp/traits.h"

namespace collet::cli {
namespace {

constexpr std::size_t kLabelColumns = 13;

void add_line(std::string& out, std::string_view label, std::string_view text, std::size_t width) {
  if (text.empty()) return;
  const std::size_t room = width > kLabelColumns ? width - kLabelColumns : width;
  out += padded(label, kLabelColumns) + wrapped(display::printable_lines(text), room, kLabelColumns) + '\n';
}

// "read-only, not destructive", of those that are stated.
std::string annotation_words(const json::Value& definition) {
  const json::Value* annotations = json::find(definition, "annotations");
  std::string words;
  for (const mcp::HintNames& names : mcp::kHintTable) {
    const json::Value* stated = annotations ? json::find(*annotations, names.annotation) : nullptr;
    if (!stated || !stated->IsBool()) continue;
    words += fmt::format("{}{}{}", words.empty() ? "" : ", ", stated->IsTrue() ? "" : "not ", names.rule.substr(1));
  }
  return words;
}

std::string_view title_of(const json::Value& definition) {
  if (const auto title = json::find_string(definition, "title")) return *title;
  const json::Value* annotations = json::find(definition, "annotations");
  return annotations ? json::find_string(*annotations, "title").value_or("") : "";
}

void add_fields(std::string& out, std::string_view head, const json::Value* schema, std::size_t width) {
  if (!schema) return;
  Table table({"name", "type", "required", "default", "values", "description"});
  for (const Field& field : fields_of(*schema)) {
    table.add({display::printable(field.name), display::printable(field.type), field.required ? "yes" : "",
               display::printable(field.standard), display::printable(field.values),
               display::printable_lines(field.description)});
  }
  out += fmt::format("\n{}{}\n", head, table.empty() ? ": none is named" : "");
  if (!table.empty()) out += table.to_text(width);
}

}  // namespace

std::string tool_text(const json::Value& item, std::size_t width) {
  const json::Value nothing(rapidjson::kObjectType);
  const json::Value* stated = json::find(item, "definition");
  const json::Value& definition = stated ? *stated : nothing;
  std::string out;
  add_line(out, "tool", json::find_string(item, "name").value_or(""), width);
  add_line(out, "title", title_of(definition), width);
  add_line(out, "plugin", json::find_string(item, "plugin").value_or(""), width);
  add_line(out, "annotations", annotation_words(definition), width);
  add_line(out, "description", json::find_string(definition, "description").value_or(""), width);
  const json::Value* input = json::find(definition, mcp::kInputSchema);
  add_fields(out, "arguments", input ? input : &nothing, width);
  add_fields(out, "result", json::find(definition, mcp::kOutputSchema), width);
  return out;
}

std::string tool_json(const json::Value& item) {
  json::ObjectText out;
  out.add_text("name", json::find_string(item, "name").value_or(""));
  const json::Value* definition = json::find(item, "definition");
  if (!definition || !definition->IsObject()) return out.take();
  for (const auto& [name, member] : definition->GetObject()) out.add(json::view(name), json::to_text(member));
  return out.take();
}

}  // namespace collet::cli
