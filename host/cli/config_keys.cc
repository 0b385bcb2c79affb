#include "cli/config_keys.h"

#include <fmt/core.h>


#include "base/json_members.h"
#include "base/text.h"
#include "cli/argument_schema.h"
#include "config/document.h"
#include "plugin/load/config_words.h"

namespace collet::cli {
namespace {

constexpr unsigned kInnerMax = 4;  // tables in tables that are looked into

// TOML knows no null: what is null is left out.
void append_toml(std::string& out, const json::Value& value) {
  if (value.IsString()) {
    out += config::toml_string(json::view(value));
  } else if (value.IsArray()) {
    out += '[';
    std::string_view separator;
    for (const json::Value& item : value.GetArray()) {
      if (item.IsNull()) continue;
      out += separator;
      append_toml(out, item);
      separator = ", ";
    }
    out += ']';
  } else if (value.IsObject()) {
    std::string_view separator = " ";
    out += '{';
    for (const auto& [name, member] : value.GetObject()) {
      if (member.IsNull()) continue;
      out.append(separator).append(text::bare_or_quoted(json::view(name))).append(" = ");
      append_toml(out, member);
      separator = ", ";
    }
    out += separator == " " ? "}" : " }";
  } else {
    json::append(out, value);
  }
}

std::string toml_of(const json::Value* value) {
  std::string out;
  if (value && !value->IsNull()) append_toml(out, *value);
  return out;
}

// A schema's keys and its words.
class Reader {
 public:
  explicit Reader(const json::Value& root) : schemas_(root) {}

  std::vector<ConfigKey> keys_of(const json::Value& given, unsigned depth) {
    std::vector<ConfigKey> keys;
    const json::Value& schema = behind_references(schemas_.root(), given);
    const json::Value* properties = json::find(schema, "properties");
    if (!properties || !properties->IsObject() || depth > kInnerMax) return keys;
    for (const auto& [name, property] : properties->GetObject()) {
      if (left_ == 0) break;
      --left_;
      ConfigKey& key = keys.emplace_back(key_of(property, depth));
      key.name = json::view(name);
      key.required = schemas_.requires_property(schema, key.name);
    }
    return keys;
  }

 private:
  ConfigKey key_of(const json::Value& given, unsigned depth) {
    const json::Value& schema = behind_references(schemas_.root(), given);
    ConfigKey key;
    key.value = plugin::value_words(schema);
    const json::Value* description = schemas_.stated(given, "description");
    if (description && description->IsString()) key.description = json::view(*description);
    const json::Value* standard = schemas_.stated(given, "default");
    key.standard_toml = toml_of(standard);
    if (!key.standard_toml.empty()) key.standard = json::to_text(*standard);
    const json::Value* items = json::find(schema, "items");
    key.inner = keys_of(items && items->IsObject() ? *items : schema, depth + 1);
    if (items && !key.inner.empty()) key.value = "an array of tables";
    key.example = example_of(schema, items && !key.inner.empty(), key.inner);
    return key;
  }

  static std::string example_of(const json::Value& schema, bool of_tables, const std::vector<ConfigKey>& inner) {
    for (const char* keyword : {"examples", "enum"}) {
      const json::Value* values = json::find(schema, keyword);
      if (values && values->IsArray() && !values->Empty() && !(*values)[0].IsNull()) return toml_of(&(*values)[0]);
    }
    if (const json::Value* value = json::find(schema, "const")) return toml_of(value);
    if (!inner.empty()) return of_tables ? '[' + table_of(inner) + ']' : table_of(inner);
    return example_of_type(schema);
  }

  static std::string table_of(const std::vector<ConfigKey>& keys) {
    std::string members;
    for (const ConfigKey& key : keys) {
      if (!key.required) continue;
      members += fmt::format("{}{} = {}", members.empty() ? "" : ", ", text::bare_or_quoted(key.name), key.example);
    }
    return members.empty() ? "{}" : "{ " + members + " }";
  }

  static std::string example_of_type(const json::Value& schema) {
    const json::Value* type = json::find(schema, "type");
    if (type && type->IsArray() && !type->Empty()) type = type->Begin();
    const std::string_view name = type && type->IsString() ? json::view(*type) : "string";
    if (name == "integer" || name == "number") {
      const json::Value* min = json::find(schema, "minimum");
      return min && min->IsNumber() && min->GetDouble() > 0 ? json::to_text(*min) : "0";
    }
    if (name == "boolean") return "false";
    if (name == "array") return "[]";
    return name == "object" ? "{}" : "\"\"";
  }

  const ArgumentSchema schemas_;
  unsigned left_ = kConfigKeysMax;
};

void append_comment(std::string& out, std::string_view text, std::string_view indent) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    out.append("# ").append(indent).append(line.substr(0, line.find('\r'))).append("\n");
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
}

// "an integer from 1 to 10, needed"
std::string about(const ConfigKey& key) {
  std::string out = key.value.empty() ? "any value" : key.value;
  if (key.required) out += ", needed";
  return out;
}

void append_inner(std::string& out, const std::vector<ConfigKey>& keys, const std::string& indent) {
  for (const ConfigKey& key : keys) {
    append_comment(out, to_line(key), indent);
    append_inner(out, key.inner, indent + "  ");
  }
}

}  // namespace

std::vector<ConfigKey> config_keys(std::string_view info) {
  json::Document document;
  if (json::parse(info, document)) return {};
  const json::Value* schema = json::find(document, "configSchema");
  return schema ? Reader(*schema).keys_of(*schema, 0) : std::vector<ConfigKey>();
}

std::string to_toml(std::string_view id, const std::vector<ConfigKey>& keys) {
  std::string out = fmt::format("[plugin.{}.config]\n", text::bare_or_quoted(id));
  for (const ConfigKey& key : keys) {
    append_comment(out, key.description, "");
    append_comment(out, about(key), "");
    append_inner(out, key.inner, "  ");
    const bool has_default = !key.standard_toml.empty();
    const std::string line = fmt::format("{} = {}\n", text::bare_or_quoted(key.name), has_default ? key.standard_toml : key.example);
    out.append(key.required ? "" : has_default ? "#" : "#   ").append(line);
  }
  return out;
}

std::string to_json(const std::vector<ConfigKey>& keys) {
  json::ArrayText out;
  for (const ConfigKey& key : keys) {
    json::ObjectText object;
    object.add_text("key", key.name).add_text("value", key.value).add_bool("required", key.required);
    if (!key.description.empty()) object.add_text("description", key.description);
    if (!key.standard.empty()) object.add("default", key.standard);
    if (!key.inner.empty()) object.add("keys", to_json(key.inner));
    out.add(object.take());
  }
  return out.take();
}

std::string to_line(const ConfigKey& key) {
  const std::string standard = key.standard_toml.empty() ? "" : ", default " + key.standard_toml;
  return fmt::format("{}: {}{}{}{}", text::bare_or_quoted(key.name), about(key), standard, key.description.empty() ? "" : ": ",
                     key.description);
}

}  // namespace collet::cli
