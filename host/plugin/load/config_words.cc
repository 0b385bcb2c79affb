#include "plugin/load/config_words.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace collet::plugin {
namespace {

// A type of JSON as TOML calls it, which has no null.
std::string type_words(std::string_view type) {
  if (type == "object") return "a table";
  return fmt::format("{} {}", type == "array" || type == "integer" ? "an" : "a", type);
}

std::string bound_words(const json::Value& schema) {
  const json::Value* min = json::find(schema, "minimum");
  const json::Value* max = json::find(schema, "maximum");
  if (min && max) return fmt::format(" from {} to {}", json::to_text(*min), json::to_text(*max));
  if (min) return " of at least " + json::to_text(*min);
  return max ? " of at most " + json::to_text(*max) : "";
}

std::string type_and_bounds(const json::Value& schema, std::string_view type) {
  return type_words(type) + (type == "integer" || type == "number" ? bound_words(schema) : "");
}

std::string values_words(const json::Value& values) {
  std::vector<std::string> words;
  for (const json::Value& value : values.GetArray()) {
    if (!value.IsNull()) words.push_back(json::to_text(value));
  }
  return text::either(words);
}

std::string branches_words(const json::Value& branches) {
  std::vector<std::string> words;
  for (const json::Value& branch : branches.GetArray()) {
    const bool is_null = json::find_string(branch, "type") == "null";
    std::string of_branch = is_null ? "" : value_words(branch);
    if (!is_null && of_branch.empty()) return {};
    if (!is_null && std::find(words.begin(), words.end(), of_branch) == words.end()) words.push_back(std::move(of_branch));
  }
  return text::either(words);
}

}  // namespace

std::string value_words(const json::Value& schema) {
  if (!schema.IsObject()) return {};
  if (const json::Value* values = json::find(schema, "enum"); values && values->IsArray()) return values_words(*values);
  if (const json::Value* value = json::find(schema, "const")) return json::to_text(*value);
  if (const json::Value* type = json::find(schema, "type")) {
    if (type->IsString()) return type_and_bounds(schema, json::view(*type));
    std::vector<std::string> words;
    if (!type->IsArray()) return {};
    for (const json::Value& each : type->GetArray()) {
      if (each.IsString() && json::view(each) != "null") words.push_back(type_and_bounds(schema, json::view(each)));
    }
    return text::either(words);
  }
  for (const char* keyword : {"anyOf", "oneOf"}) {
    if (const json::Value* branches = json::find(schema, keyword); branches && branches->IsArray()) return branches_words(*branches);
  }
  return {};
}

}  // namespace collet::plugin
