#include "config/stated_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>

#include "base/assert.h"
#include "base/json.h"
#include "config/text_rule.h"

namespace collet::config {
namespace {

struct TextFormat {
  std::string_view name;
  const TextRule* rule;
};
constexpr std::string_view kFileFormat = "file";
constexpr TextFormat kTextFormats[] = {
    {"path", &kPath},      {kFileFormat, &kPath},          {"http-url", &kHttpUrl}, {"header-name", &kHeaderName},
    {"item-name", &kName}, {"item-name-part", &kNamePart},
};

// Of a schema of a string.
const TextRule& rule_of(const json::Value* schema) {
  if (!schema) return kAnyText;
  const auto name = json::find_string(*schema, "format");
  const auto* format = std::find_if(std::begin(kTextFormats), std::end(kTextFormats), [&](const auto& f) { return f.name == name; });
  if (format != std::end(kTextFormats)) return *format->rule;
  return json::find_uint64(*schema, "minLength").value_or(0) > 0 ? kSomeText : kAnyText;
}

std::vector<std::string> texts_of(const json::Value* array) {
  std::vector<std::string> texts;
  if (!array || !array->IsArray()) return texts;
  for (const json::Value& item : array->GetArray()) {
    if (item.IsString()) texts.emplace_back(json::view(item));
  }
  return texts;
}

}  // namespace

struct StatedKeys::Key {
  enum class Kind : std::uint8_t { any, flag, integer, text, word, texts, table, table_of_texts, table_of_tables };

  std::string name;
  Kind kind = Kind::any;
  bool is_file = false;
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::int64_t>::max();
  std::vector<std::string> words;
  const TextRule* rule = &kAnyText;        // of its text, or of each of its texts
  const TextRule* name_rule = &kAnyText;   // of a table's own keys
  std::shared_ptr<const StatedKeys> each;  // what a table's tables hold; copies of the key share it
};

StatedKeys::StatedKeys(std::string_view schema, std::string_view without) {
  json::Document document;
  COLLET_ASSERT(!json::parse(schema, document));
  read(document, without);
}

StatedKeys::StatedKeys(const json::Value& schema, std::string_view without) { read(schema, without); }

StatedKeys::~StatedKeys() = default;

void StatedKeys::read(const json::Value& schema, std::string_view without) {
  if (const json::Value* properties = json::find(schema, "properties"); properties && properties->IsObject()) {
    for (const auto& property : properties->GetObject()) {
      if (json::view(property.name) != without) keys_.push_back(key_of(json::view(property.name), property.value));
    }
  }
  required_ = texts_of(json::find(schema, "required"));
  std::erase(required_, without);
  if (const json::Value* alternatives = json::find(schema, "oneOf"); alternatives && alternatives->IsArray()) {
    for (const json::Value& each : alternatives->GetArray()) {
      for (std::string& key : texts_of(json::find(each, "required"))) alternatives_.push_back(std::move(key));
    }
  }
}

StatedKeys::Key StatedKeys::key_of(std::string_view name, const json::Value& schema) {
  using Kind = Key::Kind;
  Key key;
  key.name = name;
  const std::string_view type = json::find_string(schema, "type").value_or("");
  if (type == "boolean") {
    key.kind = Kind::flag;
  } else if (type == "integer") {
    key.kind = Kind::integer;
    key.min = json::find_uint64(schema, "minimum").value_or(key.min);
    key.max = json::find_uint64(schema, "maximum").value_or(key.max);
  } else if (type == "string") {
    key.words = texts_of(json::find(schema, "enum"));
    key.kind = key.words.empty() ? Kind::text : Kind::word;
    key.rule = &rule_of(&schema);
    key.is_file = json::find_string(schema, "format") == kFileFormat;
  } else if (const json::Value* items = json::find(schema, "items"); type == "array" && items) {
    if (json::find_string(*items, "type") == "string") key.kind = Kind::texts;
    key.rule = &rule_of(items);
  } else if (type == "object") {
    const json::Value* values = json::find(schema, "additionalProperties");
    const auto type_of_values = values && values->IsObject() ? json::find_string(*values, "type") : std::nullopt;
    key.kind = type_of_values == "string" ? Kind::table_of_texts : type_of_values == "object" ? Kind::table_of_tables : Kind::table;
    key.name_rule = &rule_of(json::find(schema, "propertyNames"));
    if (key.kind == Kind::table_of_texts) key.rule = &rule_of(values);
    if (key.kind == Kind::table_of_tables) key.each = std::make_shared<const StatedKeys>(*values);
  }
  return key;
}

void StatedKeys::check(Section& section) const {
  for (const Key& key : keys_) check(section, key);
  for (const std::string& key : required_) section.require(key);
  const auto is_set = [&](const std::string& key) { return section.has(key); };
  if (!alternatives_.empty() && std::count_if(alternatives_.begin(), alternatives_.end(), is_set) != 1) {
    section.problems().add(section.at(), "{}: set either {}", section.name_of(alternatives_.front()),
                           fmt::join(alternatives_, " or "));
  }
  section.finish();
}

void StatedKeys::check(Section& section, const Key& key) {
  using Kind = Key::Kind;
  bool flag = false;
  std::uint64_t number = 0;
  std::string text;
  std::vector<std::string> texts;
  switch (key.kind) {
    case Kind::any:
      return section.accept(key.name);
    case Kind::flag:
      return section.read(key.name, flag);
    case Kind::integer:
      return section.read(key.name, number, key.min, key.max);
    case Kind::text:
      return section.read(key.name, text, *key.rule);
    case Kind::word:
      return section.read(key.name, text, key.words);
    case Kind::texts:
      return section.read(key.name, texts, *key.rule);
    case Kind::table:
      return void(section.find(key.name, Value::Type::table));
    case Kind::table_of_texts:
    case Kind::table_of_tables:
      return check_members(section.section(key.name), key);
  }
}

void StatedKeys::check_members(Section section, const Key& key) {
  std::string text;
  for (const Value::Member& member : section.members()) {
    if (key.each) {
      Section table = section.section(member);
      key.each->check(table);
    } else {
      section.read(member, text, *key.rule);
    }
    if (!key.name_rule->holds(member.key)) {
      section.problems().add(member.at, "{} must be {}", section.name_of(member.key), key.name_rule->must_be);
    }
  }
}

bool StatedKeys::is_file(std::string_view key) const {
  return std::any_of(keys_.begin(), keys_.end(), [&](const Key& each) { return each.is_file && each.name == key; });
}

}  // namespace collet::config
