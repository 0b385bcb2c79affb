// What a tool's input schema says of its arguments, one by one: for people who type them, and who are told of them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace collet::cli {

inline constexpr unsigned kReferencesMax = 16;  // one after the other

// What the schema refers to in the document that it is of, or itself.
const json::Value& behind_references(const json::Value& root, const json::Value& schema);

// Borrows the schema.
class ArgumentSchema {
 public:
  static constexpr std::size_t kChoicesMax = 64;

  explicit ArgumentSchema(const json::Value& root) : root_(root) {}

  const json::Value& root() const { return root_; }
  // The schema, behind its references, and those that its allOf, anyOf and oneOf have, in their order. The first kChoicesMax.
  std::vector<const json::Value*> choices(const json::Value& schema) const;

  // Of an object: its properties' names, once each, in their order.
  std::vector<std::string> names(const json::Value& object) const;
  // Null: nothing is said of such a property.
  const json::Value* property(const json::Value& object, std::string_view name) const;
  // Whether it is stated for whatever object that it has this property.
  bool requires_property(const json::Value& object, std::string_view name) const;
  // Whether it takes properties that it has no name for. One that states neither is taken to mean those alone that it names.
  bool takes_others(const json::Value& object) const;

  // Of an array, the schema of that item. Null: nothing is said of it.
  const json::Value* item(const json::Value& array, std::size_t index) const;
  bool takes_arrays(const json::Value& schema) const;

  // The value of a keyword such as "description", beside a reference or behind it. Null: there is none.
  const json::Value* stated(const json::Value& schema, std::string_view keyword) const;

 private:
  void add_choices(const json::Value& schema, std::span<const char* const> keywords,
                   std::vector<const json::Value*>& found) const;

  const json::Value& root_;
};

}  // namespace collet::cli
