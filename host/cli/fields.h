// What a schema says of the properties of an object, in words for people: a tool's arguments, and the fields of its result.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace collet::cli {

struct Field {
  std::string name;         // "a.b" of one in an object, "a[].b" of one in each object of an array
  std::string type;         // "string", "integer[]", "string or null"; "any": the schema says nothing of it
  bool required = false;
  std::string standard;     // its default, as JSON; empty: none
  std::string values;       // what else a value has to be, such as "1 to 10"; or empty
  std::string description;  // or empty
};

inline constexpr unsigned kFieldsMax = 1'000;       // in all: a schema that refers to itself could state any number
inline constexpr unsigned kFieldDepthMax = 4;       // objects in objects that are looked into
inline constexpr unsigned kFieldValuesShown = 32;   // of an enum

// In the order of the schema, those of an inner object behind itself.
std::vector<Field> fields_of(const json::Value& schema);

// "add(a: integer, b?: integer)"; "…" stands for arguments that have no names.
std::string signature(std::string_view name, const json::Value& schema);

}  // namespace collet::cli
