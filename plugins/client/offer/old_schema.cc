#include "client/offer/old_schema.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <collet/json.hpp>

#include "client/mcp/message.h"

namespace collet::client {
namespace {

// What stands behind a keyword.
enum class Holds : std::uint8_t { value, schema, list, map };

Holds holds(std::string_view keyword) {
  constexpr std::array<std::pair<std::string_view, Holds>, 18> kKeywords = {{
      {"additionalItems", Holds::schema},
      {"additionalProperties", Holds::schema},
      {"allOf", Holds::list},
      {"anyOf", Holds::list},
      {"contains", Holds::schema},
      {"definitions", Holds::map},
      {"$defs", Holds::map},
      {"dependencies", Holds::map},
      {"dependentSchemas", Holds::map},
      {"else", Holds::schema},
      {"if", Holds::schema},
      {"items", Holds::schema},  // or a list of them
      {"not", Holds::schema},
      {"oneOf", Holds::list},
      {"patternProperties", Holds::map},
      {"properties", Holds::map},
      {"propertyNames", Holds::schema},
      {"then", Holds::schema},
  }};
  const auto found = std::find_if(kKeywords.begin(), kKeywords.end(),
                                  [&](const auto& known) { return known.first == keyword; });
  return found == kKeywords.end() ? Holds::value : found->second;
}

class Schema {
 public:
  explicit Schema(JsonReader& in) {
    in.read_object([&](std::string_view key) {
      std::string name(key);
      std::string value = read(holds(key), in);
      members_.emplace_back(std::move(name), std::move(value));
    });
    mend_tuple();
    mend_bound("minimum", "exclusiveMinimum");
    mend_bound("maximum", "exclusiveMaximum");
  }

  std::string text() const {
    JsonMembers out{"{"};
    for (const auto& [key, value] : members_) out.add_raw(key, value);
    return out.text + "}";
  }

 private:
  static std::string read(Holds what, JsonReader& in) {
    const std::string_view type = in.peek();
    if (type == "object" && what == Holds::schema) return Schema(in).text();
    if (type == "object" && what == Holds::map) {
      JsonMembers out{"{"};
      in.read_object([&](std::string_view key) {
        const std::string name(key);
        out.add_raw(name, read(Holds::schema, in));
      });
      return out.text + "}";
    }
    if (type == "array" && what != Holds::value) {
      std::string out = "[";
      in.read_array([&] {
        if (out.size() > 1) out += ',';
        out += read(Holds::schema, in);
      });
      return out + "]";
    }
    return std::string(in.read_raw());
  }

  std::string* find(std::string_view key) {
    const auto found =
        std::find_if(members_.begin(), members_.end(), [&](const auto& member) { return member.first == key; });
    return found == members_.end() ? nullptr : &found->second;
  }
  void rename(std::string_view from, const char* to) {
    for (auto& member : members_) {
      if (member.first == from) member.first = to;
    }
  }
  void remove(std::string_view key) {
    std::erase_if(members_, [&](const auto& member) { return member.first == key; });
  }

  void mend_tuple() {
    const std::string* const items = find("items");
    if (!items || !items->starts_with('[') || find("prefixItems")) return;
    rename("items", "prefixItems");
    rename("additionalItems", "items");
  }

  // {"minimum":0,"exclusiveMinimum":true} → {"exclusiveMinimum":0}
  void mend_bound(std::string_view bound, const char* exclusive) {
    const std::string* const excludes = find(exclusive);
    if (!excludes || (*excludes != "true" && *excludes != "false")) return;
    const bool excluded = *excludes == "true";
    remove(exclusive);
    if (excluded) rename(bound, exclusive);
  }

  std::vector<std::pair<std::string, std::string>> members_;
};

// Whether it has a keyword of ours at all, and no reference that goes through one.
bool may_be_mended(std::string_view schema) {
  const auto has = [&](std::string_view text) { return schema.find(text) != std::string_view::npos; };
  return (has("\"items\"") || has("\"exclusiveM")) && !has("/items/") && !has("/additionalItems") &&
         !find_member(schema, "$schema").data();
}

}  // namespace

std::string as_2020_12(std::string_view schema) {
  if (!schema.starts_with('{') || !may_be_mended(schema)) return std::string(schema);
  try {
    JsonReader in(schema);
    return Schema(in).text();
  } catch (const collet::Error&) {
    return std::string(schema);
  }
}

}  // namespace collet::client
