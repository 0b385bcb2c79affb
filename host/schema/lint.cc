#include "schema/lint.h"

#include <fmt/core.h>

#include "base/json_pointer.h"
#include "schema/dialect.h"
#include "schema/uri.h"

namespace collet::schema {
namespace {

using json::Value;

constexpr std::size_t kNameBytesMax = 64;          // OpenAI's Chat Completions
constexpr std::size_t kNameBytesComfortable = 40;  // clients put their own prefix before it: mcp__server__name
constexpr std::size_t kPropertyNameBytesMax = 64;  // Anthropic
constexpr unsigned kNestingMax = 10;               // the three below: OpenAI's structured outputs
constexpr std::size_t kPropertiesMax = 5'000;
constexpr std::size_t kEnumValuesMax = 1'000;

bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

template <class Check>
bool every_char(std::string_view text, Check check) {
  for (char c : text) {
    if (!check(c)) return false;
  }
  return true;
}

bool has_lookaround(std::string_view pattern) {
  for (std::string_view group : {"(?=", "(?!", "(?<=", "(?<!"}) {
    if (pattern.find(group) != std::string_view::npos) return true;
  }
  return false;
}

// Keywords that OpenAI's strict mode refuses or Gemini drops.
bool is_unsupported(Keyword keyword) {
  switch (keyword) {
    case Keyword::all_of:
    case Keyword::negation:
    case Keyword::condition:
    case Keyword::dependent_required:
    case Keyword::dependent_schemas:
    case Keyword::dependencies:
    case Keyword::pattern_properties:
    case Keyword::property_names:
    case Keyword::contains:
    case Keyword::unevaluated_items:
    case Keyword::unevaluated_properties:
    case Keyword::dynamic_ref:
    case Keyword::recursive_ref:
      return true;
    default:
      return false;
  }
}

class Linter {
 public:
  std::vector<Lint> run(std::string_view name, const Value& schema) {
    check_name(name);
    if (const auto named = json::find_string(schema, "$schema")) {
      find_dialect(split_fragment(*named).document, semantics_);
    }
    check_root(schema);
    walk(schema, {}, 0, 1);
    if (properties_ > kPropertiesMax)
      warn({}, fmt::format("more than {} properties: OpenAI refuses it", kPropertiesMax));
    if (enum_values_ > kEnumValuesMax) {
      warn({}, fmt::format("more than {} enum values: OpenAI refuses it in strict mode", kEnumValuesMax));
    }
    if (nesting_ > kNestingMax) {
      warn({}, fmt::format("objects nested more than {} deep: OpenAI refuses it in strict mode", kNestingMax));
    }
    return std::move(warnings_);
  }

 private:
  void warn(std::string location, std::string message) {
    warnings_.push_back({std::move(location), std::move(message)});
  }

  void check_name(std::string_view name) {
    if (name.size() > kNameBytesMax) {
      warn({}, fmt::format("the name has {} characters: OpenAI refuses more than {}", name.size(), kNameBytesMax));
    } else if (name.size() > kNameBytesComfortable) {
      warn({}, fmt::format(
                   "the name has {} characters: with the prefix that clients add it can pass the {} that OpenAI "
                   "takes; keep it below {}",
                   name.size(), kNameBytesMax, kNameBytesComfortable));
    }
    if (!every_char(name, is_word)) {
      warn(
          {},
          "the name has characters beyond A-Z a-z 0-9 _ -: OpenAI and Anthropic refuse it, and clients rewrite it");
    }
    if (!name.empty() && !is_letter(name[0]) && name[0] != '_') {
      warn({}, "the name begins with neither a letter nor _: Gemini refuses it");
    }
  }

  void check_root(const Value& schema) {
    if (json::find_string(schema, "type") != "object") {
      warn({}, "the root has no \"type\":\"object\": every provider refuses it");
    }
    for (std::string_view keyword : {"anyOf", "oneOf", "allOf", "not", "enum"}) {
      if (json::find(schema, keyword)) {
        warn("/" + std::string(keyword), fmt::format("{} at the root: OpenAI and Anthropic refuse it", keyword));
      }
    }
  }

  // `objects` counts the schemas of objects around this one.
  void walk(const Value& schema, const std::string& location, unsigned objects, unsigned depth) {
    if (!schema.IsObject() || depth > limits::kSchemaDepthMax) return;
    check_array(schema, location);
    if (json::find(schema, "properties")) ++objects;
    nesting_ = std::max(nesting_, objects);
    for (auto member = schema.MemberBegin(); member != schema.MemberEnd(); ++member) {
      const KeywordInfo* info = find_keyword(json::view(member->name), semantics_);
      if (!info) continue;
      const std::string inner = fmt::format("{}/{}", location, info->name);
      check_keyword(*info, member->value, inner, location.empty());
      walk_keyword(*info, member->value, inner, objects, depth);
    }
  }

  void walk_keyword(const KeywordInfo& info, const Value& value, const std::string& location, unsigned objects,
                    unsigned depth) {
    if (info.shape == Shape::other) return;
    if (value.IsArray()) {
      for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
        walk(value[i], fmt::format("{}/{}", location, i), objects, depth + 2);
      }
    } else if (info.shape != Shape::schemas_by_name) {
      walk(value, location, objects, depth + 1);
    } else if (value.IsObject()) {
      for (auto member = value.MemberBegin(); member != value.MemberEnd(); ++member) {
        std::string inner = location;
        json::append_pointer_token(inner, json::view(member->name));
        if (info.keyword == Keyword::properties) check_property(json::view(member->name), inner);
        walk(member->value, inner, objects, depth + 2);
      }
    }
  }

  void check_array(const Value& schema, const std::string& location) {
    if (json::find_string(schema, "type") == "array" && !json::find(schema, "items") &&
        !json::find(schema, "prefixItems")) {
      warn(location, "an array without items: OpenAI and Gemini refuse it");
    }
  }

  void check_keyword(const KeywordInfo& info, const Value& value, const std::string& location, bool at_root) {
    const bool root_combinator = at_root && (info.keyword == Keyword::all_of || info.keyword == Keyword::negation);
    if (is_unsupported(info.keyword) && !root_combinator) {
      warn(location, fmt::format("{}: OpenAI's strict mode refuses it, Gemini drops it", info.name));
    }
    if (info.keyword == Keyword::type && value.IsArray()) {
      warn(location,
           "a list of types: clients that make classes of a schema fail on it, with the whole list; use anyOf");
    }
    if (info.keyword == Keyword::pattern && value.IsString() && has_lookaround(json::view(value))) {
      warn(location, "a pattern with lookaround: OpenAI's strict mode refuses it");
    }
    if (info.keyword == Keyword::enumeration && value.IsArray()) enum_values_ += value.Size();
  }

  void check_property(std::string_view name, const std::string& location) {
    ++properties_;
    const auto allowed = [](char c) { return is_word(c) || c == '.'; };
    if (name.empty() || name.size() > kPropertyNameBytesMax || !every_char(name, allowed)) {
      warn(location,
           fmt::format("the property's name is not of 1 to {} characters A-Z a-z 0-9 _ . -: Anthropic refuses it",
                       kPropertyNameBytesMax));
    }
  }

  static Semantics default_semantics() {
    Semantics semantics;
    find_dialect(metaschema_uri(Dialect::draft2020_12), semantics);
    return semantics;
  }

  Semantics semantics_ = default_semantics();
  std::vector<Lint> warnings_;
  std::size_t properties_ = 0;
  std::size_t enum_values_ = 0;
  unsigned nesting_ = 0;
};

}  // namespace

std::vector<Lint> lint_tool(std::string_view name, const Value& input_schema) {
  return Linter().run(name, input_schema);
}

}  // namespace collet::schema
