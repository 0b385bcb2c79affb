// What a schema's keywords are: their names, in which dialects and vocabularies they mean something, and where in
// them subschemas lie.
#pragma once

#include <cstdint>
#include <string_view>

#include "schema/schema.h"

namespace collet::schema {

enum class Keyword : std::uint8_t {
  id,
  schema,
  vocabulary,
  anchor,
  dynamic_anchor,
  recursive_anchor,
  ref,
  dynamic_ref,
  recursive_ref,
  defs,
  definitions,
  type,
  enumeration,
  constant,
  multiple_of,
  maximum,
  exclusive_maximum,
  minimum,
  exclusive_minimum,
  max_length,
  min_length,
  pattern,
  format,
  prefix_items,
  items,
  additional_items,
  max_items,
  min_items,
  unique_items,
  contains,
  max_contains,
  min_contains,
  properties,
  pattern_properties,
  additional_properties,
  property_names,
  max_properties,
  min_properties,
  required,
  dependent_required,
  dependent_schemas,
  dependencies,
  all_of,
  any_of,
  one_of,
  negation,
  condition,
  consequence,
  alternative,
  unevaluated_items,
  unevaluated_properties,
  content_schema,
};
inline constexpr std::size_t kKeywords = static_cast<std::size_t>(Keyword::content_schema) + 1;

enum Vocabulary : unsigned {
  kCore = 1,
  kApplicator = 2,
  kUnevaluated = 4,
  kValidation = 8,
  kFormat = 16,           // `format` as an annotation, or as an assertion if asked for
  kFormatAssertion = 32,  // `format` as an assertion
  kContent = 64,
};

// What the keywords of one schema resource mean.
struct Semantics {
  Dialect dialect = Dialect::draft2020_12;
  unsigned vocabularies = 0;
};

enum class Shape : std::uint8_t {
  other,
  schema,
  schemas,            // array
  schema_or_schemas,  // `items` before 2020-12
  schemas_by_name,    // object; in `dependencies` arrays among them, which are no schemas
};

struct KeywordInfo {
  std::string_view name;
  Keyword keyword;
  unsigned vocabularies;  // any of them makes it mean something
  Dialect since = Dialect::draft7;
  Dialect until = Dialect::draft2020_12;
  Shape shape = Shape::other;
};

std::string_view name(Keyword keyword);
// Null if this is no keyword in schemas of these semantics.
const KeywordInfo* find_keyword(std::string_view name, Semantics semantics);

// Without '#' and whatever the scheme: the metaschema of a dialect, or nothing.
bool find_dialect(std::string_view uri, Semantics& semantics);
// The bit of a vocabulary's URI, 0 if it is one that need not be known to obey it; nothing if it is unknown.
bool find_vocabulary(std::string_view uri, unsigned& bit);
// The metaschema of a dialect: its URI.
std::string_view metaschema_uri(Dialect dialect);
// A document among the bundled metaschemas, or null.
const json::Value* find_metaschema(std::string_view uri);

}  // namespace collet::schema
