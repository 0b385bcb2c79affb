// A compiled schema: nodes, one for each subschema, over one array of instructions. Immutable once compiled.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "schema/dialect.h"
#include "schema/enumeration.h"
#include "schema/formats.h"
#include "schema/key_table.h"
#include "schema/number.h"
#include "schema/regex.h"
#include "schema/schema.h"

namespace collet::schema {

using NodeId = std::uint32_t;
inline constexpr std::uint32_t kNone = ~0u;

// One bit for each type that an instance can have; every instance has exactly one.
enum Type : std::uint8_t {
  kNull = 1,
  kBoolean = 2,
  kObject = 4,
  kArray = 8,
  kString = 16,
  kInteger = 32,
  kFraction = 64,  // a number that is no integer
  kNumber = kInteger | kFraction,
  kAnyType = 127,
};

enum class Op : std::uint8_t {
  enumeration,  // a: enumerations
  range,        // a: ranges
  multiple_of,  // a: divisors
  length,       // a: min, b: max, in characters
  pattern,      // a: patterns
  format,       // a: formats
  size,         // a: min, b: max, of items
  members,      // a: min, b: max
  unique_items,
  object,                  // a: objects
  dependent,               // a: dependents
  property_names,          // a: node
  items,                   // a: items
  contains,                // a: contains
  reference,               // a: node
  dynamic,                 // a: dynamics, b: node if no resource entered has a target
  all_of,                  // a: begin, b: end in `lists`
  any_of,                  // likewise
  one_of,                  // likewise
  negation,                // a: node
  condition,               // a: if, b: then, c: else; node or kNone
  unevaluated_items,       // a: node; the last of its node
  unevaluated_properties,  // likewise
};

struct Instruction {
  Op op;
  std::uint8_t types = kAnyType;  // instances of other types are let through
  Keyword keyword;
  std::uint32_t a = kNone;
  std::uint32_t b = kNone;
  std::uint32_t c = kNone;
};

struct Node {
  std::uint8_t types = kAnyType;  // those allowed; none in `false`
  bool tracks_evaluated = false;  // it has unevaluatedItems or unevaluatedProperties
  std::uint32_t begin = 0;        // its instructions
  std::uint32_t end = 0;
  std::uint32_t resource = 0;  // the schema resource it lies in
  std::uint32_t location = kNone;
};

// Where a subschema lies, for messages: the way from the root of its document.
struct Location {
  std::uint32_t outer;          // kNone: a document, and `token` is its URI, empty for the schema itself
  std::string_view token;       // of a JSON Pointer, unescaped
  std::uint32_t index = kNone;  // in an array, instead of a token
};

struct Format {
  std::string_view name;
  FormatCheck check;
};

struct Property {
  NodeId node = kNone;         // kNone: only required
  std::uint64_t required = 0;  // its bit
};

struct PatternProperty {
  std::uint32_t pattern;
  NodeId node;
};

// properties, patternProperties, additionalProperties and required, in one pass over the members.
struct ObjectRule {
  KeyTable keys;
  std::vector<Property> properties;             // by index in `keys`
  std::uint64_t required = 0;                   // the bits that must come together
  std::vector<std::string_view> more_required;  // beyond the 64th
  std::vector<PatternProperty> patterns;
  NodeId additional = kNone;
  bool applies = false;  // there is more to it than `required`
};

// dependentRequired, dependentSchemas and dependencies of one property name.
struct Dependent {
  std::string_view name;
  std::vector<std::string_view> required;
  NodeId node = kNone;
  Keyword keyword;
};

struct ItemsRule {
  std::vector<NodeId> prefix;
  NodeId rest = kNone;
};

struct ContainsRule {
  NodeId node;
  std::uint32_t min = 1;
  std::uint32_t max = kNone;
  bool marks = true;  // the items found count as evaluated
};

// Where the $dynamicRefs to one name, or the $recursiveRefs, may lead.
struct DynamicTargets {
  std::vector<std::pair<std::uint32_t, NodeId>> by_resource;  // sorted

  // kNone if the resource has none.
  NodeId in(std::uint32_t resource) const {
    const auto at = std::lower_bound(by_resource.begin(), by_resource.end(), std::pair{resource, NodeId{0}});
    return at != by_resource.end() && at->first == resource ? at->second : kNone;
  }
};

struct Program {
  static constexpr std::size_t kMemoryChunkBytes = 1'024;  // schemas are small and many

  std::vector<Node> nodes;  // the schema itself is the first
  std::vector<Instruction> instructions;
  std::vector<NodeId> lists;
  std::vector<Enumeration> enumerations;
  std::vector<Range> ranges;
  std::vector<Divisor> divisors;
  std::vector<Regex> patterns;
  std::vector<Format> formats;
  std::vector<ObjectRule> objects;
  std::vector<std::vector<Dependent>> dependents;
  std::vector<ItemsRule> items;
  std::vector<ContainsRule> contains;
  std::vector<DynamicTargets> dynamics;  // if there is none, nobody keeps a dynamic scope
  std::vector<Location> locations;

  Dialect dialect = Dialect::draft2020_12;
  Limits limits;
  // Owns the constants and every string that the above refers to.
  json::Document::AllocatorType memory{kMemoryChunkBytes};

  std::string_view keep(std::string_view text);
  json::Value* keep(const json::Value& value);
  // The pointer to a keyword of the node at `location`, or to the node itself if it is empty.
  std::string pointer(std::uint32_t location, std::string_view keyword) const;
};

}  // namespace collet::schema
