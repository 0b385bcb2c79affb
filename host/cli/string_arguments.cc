#include "cli/string_arguments.h"

#include <algorithm>

#include "base/json_members.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/typed_arguments.h"

namespace collet::cli {
namespace {

std::string schema_of(const std::vector<std::string>& names, const std::vector<std::string>& required) {
  json::ObjectText properties;
  for (const std::string& name : names) properties.add(name, R"({"type":"string"})");
  return json::ObjectText()
      .add("properties", properties.take())
      .add("required", text::json_strings(required))
      .add("additionalProperties", "false")
      .take();
}

std::vector<std::string> argument_names(const json::Value& definition, bool only_required) {
  std::vector<std::string> names;
  const json::Value* arguments = json::find(definition, "arguments");
  if (!arguments || !arguments->IsArray()) return names;
  for (const json::Value& argument : arguments->GetArray()) {
    const json::Value* required = json::find(argument, "required");
    const auto name = json::find_string(argument, "name");
    if (name && (!only_required || (required && required->IsTrue()))) names.emplace_back(*name);
  }
  return names;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Whether it is NAME=VALUE of one of them.
bool sets_one(const std::string& word, const std::vector<std::string>& names) {
  const std::size_t sign = word.find('=');
  return sign != std::string::npos && has(names, word.substr(0, sign));
}

}  // namespace

std::string prompt_schema(const json::Value& definition) {
  return schema_of(argument_names(definition, false), argument_names(definition, true));
}

std::vector<std::string> string_argument_names(const registry::Item& item) {
  if (item.compiled->uri_template) return item.compiled->uri_template->variables();
  json::Document definition;
  COLLET_ASSERT(!json::parse(item.def->definition, definition));
  return argument_names(definition, false);
}

Result<std::string> completion_arguments(const registry::Item& item, std::span<const std::string> words) {
  COLLET_ASSERT(!words.empty());
  const std::vector<std::string> names = string_argument_names(item);
  const std::string argument = words.front();
  if (!has(names, argument)) {
    const std::string meant = suggestion(argument, names);
    return error("there is no argument {}{}", argument, !meant.empty() || names.empty() ? meant : "; say " + text::either(names));
  }
  words = words.subspan(1);
  std::string value;
  if (!words.empty() && !sets_one(words.front(), names)) {
    value = words.front();
    words = words.subspan(1);
  }
  json::Document schema;
  COLLET_ASSERT(!json::parse(schema_of(names, {}), schema));
  const auto others = typed_arguments(schema, nullptr, "{}", words);
  if (!others) return others;
  json::ObjectText asked;
  asked.add("argument", json::ObjectText().add_text("name", argument).add_text("value", value).take());
  if (!words.empty()) asked.add("context", R"({"arguments":)" + *others + '}');
  return asked.take();
}

}  // namespace collet::cli
