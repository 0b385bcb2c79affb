#include "schema/dialect.h"

#include <array>
#include <unordered_map>

#include "schema/metaschemas.h"
#include "schema/uri.h"

namespace collet::schema {
namespace {

constexpr auto k7 = Dialect::draft7;
constexpr auto k2019 = Dialect::draft2019_09;
constexpr auto k2020 = Dialect::draft2020_12;

constexpr std::array<KeywordInfo, kKeywords> kInfos = {{
    {"$id", Keyword::id, kCore},
    {"$schema", Keyword::schema, kCore},
    {"$vocabulary", Keyword::vocabulary, kCore, k2019},
    {"$anchor", Keyword::anchor, kCore, k2019},
    {"$dynamicAnchor", Keyword::dynamic_anchor, kCore, k2020},
    {"$recursiveAnchor", Keyword::recursive_anchor, kCore, k2019, k2019},
    {"$ref", Keyword::ref, kCore},
    {"$dynamicRef", Keyword::dynamic_ref, kCore, k2020},
    {"$recursiveRef", Keyword::recursive_ref, kCore, k2019, k2019},
    {"$defs", Keyword::defs, kCore, k2019, k2020, Shape::schemas_by_name},
    {"definitions", Keyword::definitions, kCore, k7, k2020, Shape::schemas_by_name},
    {"type", Keyword::type, kValidation},
    {"enum", Keyword::enumeration, kValidation},
    {"const", Keyword::constant, kValidation},
    {"multipleOf", Keyword::multiple_of, kValidation},
    {"maximum", Keyword::maximum, kValidation},
    {"exclusiveMaximum", Keyword::exclusive_maximum, kValidation},
    {"minimum", Keyword::minimum, kValidation},
    {"exclusiveMinimum", Keyword::exclusive_minimum, kValidation},
    {"maxLength", Keyword::max_length, kValidation},
    {"minLength", Keyword::min_length, kValidation},
    {"pattern", Keyword::pattern, kValidation},
    {"format", Keyword::format, kFormat | kFormatAssertion},
    {"prefixItems", Keyword::prefix_items, kApplicator, k2020, k2020, Shape::schemas},
    {"items", Keyword::items, kApplicator, k7, k2020, Shape::schema_or_schemas},
    {"additionalItems", Keyword::additional_items, kApplicator, k7, k2019, Shape::schema},
    {"maxItems", Keyword::max_items, kValidation},
    {"minItems", Keyword::min_items, kValidation},
    {"uniqueItems", Keyword::unique_items, kValidation},
    {"contains", Keyword::contains, kApplicator, k7, k2020, Shape::schema},
    {"maxContains", Keyword::max_contains, kValidation, k2019},
    {"minContains", Keyword::min_contains, kValidation, k2019},
    {"properties", Keyword::properties, kApplicator, k7, k2020, Shape::schemas_by_name},
    {"patternProperties", Keyword::pattern_properties, kApplicator, k7, k2020, Shape::schemas_by_name},
    {"additionalProperties", Keyword::additional_properties, kApplicator, k7, k2020, Shape::schema},
    {"propertyNames", Keyword::property_names, kApplicator, k7, k2020, Shape::schema},
    {"maxProperties", Keyword::max_properties, kValidation},
    {"minProperties", Keyword::min_properties, kValidation},
    {"required", Keyword::required, kValidation},
    {"dependentRequired", Keyword::dependent_required, kValidation, k2019},
    {"dependentSchemas", Keyword::dependent_schemas, kApplicator, k2019, k2020, Shape::schemas_by_name},
    {"dependencies", Keyword::dependencies, kApplicator, k7, k2020, Shape::schemas_by_name},
    {"allOf", Keyword::all_of, kApplicator, k7, k2020, Shape::schemas},
    {"anyOf", Keyword::any_of, kApplicator, k7, k2020, Shape::schemas},
    {"oneOf", Keyword::one_of, kApplicator, k7, k2020, Shape::schemas},
    {"not", Keyword::negation, kApplicator, k7, k2020, Shape::schema},
    {"if", Keyword::condition, kApplicator, k7, k2020, Shape::schema},
    {"then", Keyword::consequence, kApplicator, k7, k2020, Shape::schema},
    {"else", Keyword::alternative, kApplicator, k7, k2020, Shape::schema},
    {"unevaluatedItems", Keyword::unevaluated_items, kUnevaluated, k2019, k2020, Shape::schema},
    {"unevaluatedProperties", Keyword::unevaluated_properties, kUnevaluated, k2019, k2020, Shape::schema},
    {"contentSchema", Keyword::content_schema, kContent, k2019, k2020, Shape::schema},
}};

constexpr unsigned kAll = kCore | kApplicator | kUnevaluated | kValidation | kFormat | kContent;

std::string_view without_scheme(std::string_view uri) {
  for (std::string_view scheme : {"https:", "http:"}) {
    if (uri.substr(0, scheme.size()) == scheme) return uri.substr(scheme.size());
  }
  return uri;
}

}  // namespace

std::string_view name(Keyword keyword) { return kInfos[static_cast<std::size_t>(keyword)].name; }

const KeywordInfo* find_keyword(std::string_view name, Semantics semantics) {
  static const auto index = [] {
    std::unordered_map<std::string_view, const KeywordInfo*> result;
    for (const KeywordInfo& info : kInfos) result.emplace(info.name, &info);
    return result;
  }();
  const auto found = index.find(name);
  if (found == index.end()) return nullptr;
  const KeywordInfo& info = *found->second;
  const bool known = semantics.dialect >= info.since && semantics.dialect <= info.until;
  return known && (semantics.vocabularies & info.vocabularies) ? &info : nullptr;
}

std::string_view metaschema_uri(Dialect dialect) {
  switch (dialect) {
    case Dialect::draft7:
      return "http://json-schema.org/draft-07/schema";
    case Dialect::draft2019_09:
      return "https://json-schema.org/draft/2019-09/schema";
    case Dialect::draft2020_12:
      break;
  }
  return "https://json-schema.org/draft/2020-12/schema";
}

std::string_view name(Dialect dialect) {
  switch (dialect) {
    case Dialect::draft7:
      return "draft-07";
    case Dialect::draft2019_09:
      return "2019-09";
    case Dialect::draft2020_12:
      break;
  }
  return "2020-12";
}

bool find_dialect(std::string_view uri, Semantics& semantics) {
  for (Dialect dialect : {k2020, k2019, k7}) {
    if (without_scheme(uri) != without_scheme(metaschema_uri(dialect))) continue;
    semantics = {dialect, kAll};
    return true;
  }
  return false;
}

bool find_vocabulary(std::string_view uri, unsigned& bit) {
  struct Known {
    std::string_view name;
    unsigned bits;
  };
  static constexpr Known k2019Vocabularies[] = {{"core", kCore},
                                                {"applicator", kApplicator | kUnevaluated},
                                                {"validation", kValidation},
                                                {"meta-data", 0},
                                                {"content", kContent},
                                                {"format", kFormat}};
  static constexpr Known k2020Vocabularies[] = {
      {"core", kCore},       {"applicator", kApplicator},           {"unevaluated", kUnevaluated},
      {"meta-data", 0},      {"format-annotation", kFormat},        {"validation", kValidation},
      {"content", kContent}, {"format-assertion", kFormatAssertion}};
  const auto search = [&](std::string_view prefix, const auto& known) {
    if (uri.substr(0, prefix.size()) != prefix) return false;
    for (const Known& vocabulary : known) {
      if (vocabulary.name != uri.substr(prefix.size())) continue;
      bit = vocabulary.bits;
      return true;
    }
    return false;
  };
  return search("https://json-schema.org/draft/2019-09/vocab/", k2019Vocabularies) ||
         search("https://json-schema.org/draft/2020-12/vocab/", k2020Vocabularies);
}

const json::Value* find_metaschema(std::string_view uri) {
  static const auto documents = [] {
    std::unordered_map<std::string_view, json::Document> result;
    for (std::size_t i = 0; i < kMetaschemaCount; ++i) {
      json::Document document;
      COLLET_ASSERT(!json::parse(kMetaschemas[i], document));
      const std::string_view id = split_fragment(*json::find_string(document, "$id")).document;
      result.emplace(without_scheme(id), std::move(document));
    }
    return result;
  }();
  const auto found = documents.find(without_scheme(uri));
  return found == documents.end() ? nullptr : &found->second;
}

}  // namespace collet::schema
