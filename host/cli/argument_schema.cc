#include "cli/argument_schema.h"

#include <algorithm>

#include "base/json_pointer.h"

namespace collet::cli {
namespace {

const json::Value* array_at(const json::Value& schema, std::string_view keyword) {
  const json::Value* value = json::find(schema, keyword);
  return value && value->IsArray() ? value : nullptr;
}

const json::Value* object_at(const json::Value& schema, std::string_view keyword) {
  const json::Value* value = json::find(schema, keyword);
  return value && value->IsObject() ? value : nullptr;
}

bool names_string(const json::Value& array, std::string_view text) {
  return std::any_of(array.Begin(), array.End(),
                     [&](const json::Value& each) { return each.IsString() && json::view(each) == text; });
}

bool has_type(const json::Value& schema, std::string_view type) {
  const json::Value* types = json::find(schema, "type");
  if (!types) return false;
  return types->IsArray() ? names_string(*types, type) : types->IsString() && json::view(*types) == type;
}

constexpr const char* kParts[] = {"allOf", "anyOf", "oneOf"};  // what stands in the first one holds of every value

}  // namespace

const json::Value& behind_references(const json::Value& root, const json::Value& schema) {
  const json::Value* at = &schema;
  for (unsigned i = 0; i < kReferencesMax; ++i) {
    const auto reference = json::find_string(*at, "$ref");
    if (!reference || !reference->starts_with('#')) break;
    const json::Value* target = json::value_at(root, reference->substr(1));
    if (!target) break;
    at = target;
  }
  return *at;
}

void ArgumentSchema::add_choices(const json::Value& given, std::span<const char* const> keywords,
                                 std::vector<const json::Value*>& found) const {
  const json::Value& schema = behind_references(root_, given);
  if (found.size() >= kChoicesMax || std::find(found.begin(), found.end(), &schema) != found.end()) return;
  found.push_back(&schema);
  for (const char* keyword : keywords) {
    const json::Value* branches = array_at(schema, keyword);
    if (!branches) continue;
    for (const json::Value& branch : branches->GetArray()) add_choices(branch, keywords, found);
  }
}

std::vector<const json::Value*> ArgumentSchema::choices(const json::Value& schema) const {
  std::vector<const json::Value*> found;
  add_choices(schema, kParts, found);
  return found;
}

std::vector<std::string> ArgumentSchema::names(const json::Value& object) const {
  std::vector<std::string> names;
  for (const json::Value* choice : choices(object)) {
    const json::Value* properties = object_at(*choice, "properties");
    if (!properties) continue;
    for (const auto& [name, property] : properties->GetObject()) {
      if (std::find(names.begin(), names.end(), json::view(name)) == names.end()) names.emplace_back(json::view(name));
    }
  }
  return names;
}

const json::Value* ArgumentSchema::property(const json::Value& object, std::string_view name) const {
  const std::vector<const json::Value*> all = choices(object);
  for (const json::Value* choice : all) {
    const json::Value* properties = object_at(*choice, "properties");
    if (const json::Value* found = properties ? json::find(*properties, name) : nullptr) return found;
  }
  for (const json::Value* choice : all) {
    if (const json::Value* others = object_at(*choice, "additionalProperties")) return others;
  }
  return nullptr;
}

bool ArgumentSchema::requires_property(const json::Value& object, std::string_view name) const {
  std::vector<const json::Value*> all;
  add_choices(object, std::span(kParts).first(1), all);
  return std::any_of(all.begin(), all.end(), [&](const json::Value* part) {
    const json::Value* required = array_at(*part, "required");
    return required && names_string(*required, name);
  });
}

bool ArgumentSchema::takes_others(const json::Value& object) const {
  bool has_names = false;
  for (const json::Value* choice : choices(object)) {
    has_names = has_names || object_at(*choice, "properties");
    if (object_at(*choice, "patternProperties")) return true;
    for (const char* keyword : {"additionalProperties", "unevaluatedProperties"}) {
      const json::Value* stated = json::find(*choice, keyword);
      if (stated) return !stated->IsFalse();
    }
  }
  return !has_names;
}

const json::Value* ArgumentSchema::item(const json::Value& array, std::size_t index) const {
  for (const json::Value* choice : choices(array)) {
    for (const char* keyword : {"prefixItems", "items"}) {
      const json::Value* items = array_at(*choice, keyword);
      if (items && index < items->Size()) return &(*items)[static_cast<unsigned>(index)];
    }
    for (const char* keyword : {"items", "additionalItems"}) {
      if (const json::Value* items = object_at(*choice, keyword)) return items;
    }
  }
  return nullptr;
}

bool ArgumentSchema::takes_arrays(const json::Value& schema) const {
  const std::vector<const json::Value*> all = choices(schema);
  return std::any_of(all.begin(), all.end(), [](const json::Value* choice) { return has_type(*choice, "array"); });
}

const json::Value* ArgumentSchema::stated(const json::Value& schema, std::string_view keyword) const {
  const json::Value* value = json::find(schema, keyword);
  return value ? value : json::find(behind_references(root_, schema), keyword);
}

}  // namespace collet::cli
