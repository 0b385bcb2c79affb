#include "cli/fields.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "cli/argument_schema.h"

namespace collet::cli {
namespace {

constexpr unsigned kItemsInItemsMax = 4;  // arrays in arrays whose type is named

void add_once(std::vector<std::string>& words, std::string word) {
  if (!word.empty() && std::find(words.begin(), words.end(), word) == words.end()) words.push_back(std::move(word));
}

std::string_view type_of_value(const json::Value& value) {
  if (value.IsString()) return "string";
  if (value.IsBool()) return "boolean";
  if (value.IsNull()) return "null";
  if (value.IsArray()) return "array";
  if (value.IsObject()) return "object";
  return value.IsInt64() || value.IsUint64() ? "integer" : "number";
}

// "1 to 10 characters", of two keywords.
std::string range(const json::Value& schema, const char* least, const char* most, std::string_view unit) {
  const json::Value* min = json::find(schema, least);
  const json::Value* max = json::find(schema, most);
  if (min && !min->IsNumber()) min = nullptr;
  if (max && !max->IsNumber()) max = nullptr;
  if (!min && !max) return {};
  const std::string from = min ? json::to_text(*min) : "", to = max ? json::to_text(*max) : "";
  return fmt::format("{}{}", !max ? "at least " + from : !min ? "at most " + to : from == to ? from : from + " to " + to, unit);
}

std::string number_words(const json::Value& schema, const char* keyword, std::string_view words) {
  const json::Value* number = json::find(schema, keyword);
  return number && number->IsNumber() ? fmt::format("{} {}", words, json::to_text(*number)) : std::string();
}

std::string text_words(const json::Value& schema, const char* keyword) {
  const auto text = json::find_string(schema, keyword);
  return text ? fmt::format("{} {}", keyword, *text) : std::string();
}

std::string constants(const json::Value& schema) {
  if (const json::Value* value = json::find(schema, "const")) return json::to_text(*value);
  const json::Value* values = json::find(schema, "enum");
  if (!values || !values->IsArray()) return {};
  std::string out;
  for (unsigned i = 0; i < std::min(values->Size(), kFieldValuesShown); ++i) {
    out += (i > 0 ? ", " : "") + json::to_text((*values)[i]);
  }
  return out + (values->Size() > kFieldValuesShown ? ", …" : "");
}

// A schema's properties, in words.
class FieldReader {
 public:
  explicit FieldReader(const json::Value& root) : schemas_(root) {}

  std::vector<Field> read() {
    add(schemas_.root(), "", 0);
    return std::move(fields_);
  }

  std::string type_of(const json::Value& schema, unsigned in_arrays = 0) const {
    std::vector<std::string> types;
    for (const json::Value* choice : schemas_.choices(schema)) add_types(*choice, in_arrays, types);
    return text::either(types);
  }

 private:
  void add(const json::Value& object, const std::string& prefix, unsigned depth) {
    if (depth > kFieldDepthMax) return;
    for (const std::string& name : schemas_.names(object)) {
      if (fields_.size() == kFieldsMax) return;
      const json::Value& given = *schemas_.property(object, name);
      fields_.push_back(field_of(given));
      fields_.back().name = prefix + name;
      fields_.back().required = schemas_.requires_property(object, name);
      add(given, prefix + name + '.', depth + 1);
      const json::Value* item = schemas_.takes_arrays(given) ? schemas_.item(given, 0) : nullptr;
      if (item) add(*item, prefix + name + "[].", depth + 1);
    }
  }

  Field field_of(const json::Value& given) const {
    Field field;
    field.type = type_of(given);
    if (field.type.empty()) field.type = "any";
    std::vector<std::string> values;
    for (const json::Value* choice : schemas_.choices(given)) add_values(*choice, values);
    for (const std::string& each : values) field.values += (field.values.empty() ? "" : "; ") + each;
    if (const json::Value* standard = schemas_.stated(given, "default")) field.standard = json::to_text(*standard);
    const json::Value* description = schemas_.stated(given, "description");
    if (description && description->IsString()) field.description = json::view(*description);
    return field;
  }

  void add_types(const json::Value& schema, unsigned in_arrays, std::vector<std::string>& types) const {
    const json::Value* stated = json::find(schema, "type");
    if (stated && stated->IsString()) add_once(types, named(json::view(*stated), schema, in_arrays));
    if (stated && stated->IsArray()) {
      for (const json::Value& type : stated->GetArray()) {
        if (type.IsString()) add_once(types, named(json::view(type), schema, in_arrays));
      }
    }
    if (stated) return;
    if (const json::Value* value = json::find(schema, "const")) add_once(types, std::string(type_of_value(*value)));
    const json::Value* values = json::find(schema, "enum");
    if (!values || !values->IsArray()) return;
    for (const json::Value& value : values->GetArray()) add_once(types, std::string(type_of_value(value)));
  }

  // "string[]" of an array that says what its items are.
  std::string named(std::string_view type, const json::Value& schema, unsigned in_arrays) const {
    const json::Value* item = type == "array" && in_arrays < kItemsInItemsMax ? schemas_.item(schema, 0) : nullptr;
    const std::string of_item = item ? type_of(*item, in_arrays + 1) : "";
    if (of_item.empty()) return std::string(type);
    return of_item.find(' ') == std::string::npos ? of_item + "[]" : '(' + of_item + ")[]";
  }

  static void add_values(const json::Value& schema, std::vector<std::string>& values) {
    add_once(values, constants(schema));
    add_once(values, range(schema, "minimum", "maximum", ""));
    add_once(values, number_words(schema, "exclusiveMinimum", "more than"));
    add_once(values, number_words(schema, "exclusiveMaximum", "less than"));
    add_once(values, number_words(schema, "multipleOf", "a multiple of"));
    add_once(values, range(schema, "minLength", "maxLength", " characters"));
    add_once(values, range(schema, "minItems", "maxItems", " items"));
    add_once(values, text_words(schema, "format"));
    add_once(values, text_words(schema, "pattern"));
  }

  const ArgumentSchema schemas_;
  std::vector<Field> fields_;
};

}  // namespace

std::vector<Field> fields_of(const json::Value& schema) { return FieldReader(schema).read(); }

std::string signature(std::string_view name, const json::Value& schema) {
  const ArgumentSchema schemas(schema);
  const FieldReader reader(schema);
  std::string arguments;
  const std::vector<std::string> names = schemas.names(schema);
  for (const std::string& each : names) {
    const std::string type = reader.type_of(*schemas.property(schema, each));
    arguments += fmt::format("{}{}{}: {}", arguments.empty() ? "" : ", ", each,
                             schemas.requires_property(schema, each) ? "" : "?", type.empty() ? "any" : type);
  }
  if (names.empty() && schemas.property(schema, "")) arguments = "…";
  return fmt::format("{}({})", name, arguments);
}

}  // namespace collet::cli
