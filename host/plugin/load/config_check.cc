#include "plugin/load/config_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/config_places.h"
#include "base/json_pointer.h"
#include "base/limits.h"
#include "base/nearest.h"
#include "base/text.h"
#include "plugin/load/config_words.h"
#include "schema/schema.h"

namespace collet::plugin {
namespace {

using schema::Violation;

std::vector<std::string> keys_of(const json::Value& object) {
  std::vector<std::string> keys;
  for (const auto& member : object.GetObject()) keys.emplace_back(json::view(member.name));
  return keys;
}

// What is wrong with a config, in the words in which the configuration's own mistakes are told.
class Mistakes {
 public:
  // All are borrowed.
  Mistakes(const json::Value& schema, const json::Value& config, const ConfigPlaces& places)
      : schema_(schema), config_(config), places_(places) {}

  void add(const Violation& violation) {
    const bool unknown = is_unknown_key(violation);
    const auto part = unknown ? ConfigPlaces::Of::key : ConfigPlaces::Of::value;
    list_.push_back({places_.find(violation.instance, part), unknown ? unknown_key(violation) : words(violation)});
  }

  std::string text() {
    std::stable_sort(list_.begin(), list_.end(), [](const Mistake& a, const Mistake& b) { return a.at < b.at; });
    std::string out;
    for (const auto& [at, message] : list_) {
      out += '\n';
      if (!places_.file().empty()) out += places_.file() + ':';
      if (at.line != 0) out += fmt::format("{}:{}:", at.line, at.column);
      if (!places_.file().empty()) out += ' ';
      out += message;
    }
    return out;
  }

 private:
  struct Mistake {
    ConfigPlaces::Place at;
    std::string message;
  };

  static bool is_unknown_key(const Violation& violation) {
    return violation.keyword == "additionalProperties" || violation.keyword == "unevaluatedProperties";
  }

  std::string unknown_key(const Violation& violation) const {
    const json::Value* stated = beside(violation, "properties");
    const std::vector<std::string> known = stated && stated->IsObject() ? keys_of(*stated) : std::vector<std::string>();
    const std::vector<std::string> tokens = json::pointer_tokens(violation.instance);
    const std::string_view meant = tokens.empty() ? std::string_view() : text::nearest(tokens.back(), known);
    const std::string what = name_of(violation.instance) + " is not a key";
    if (!meant.empty()) return fmt::format("{}; did you mean {}?", what, meant);
    return known.empty() ? what : fmt::format("{}; known here: {}", what, fmt::join(known, ", "));
  }

  std::string words(const Violation& violation) const {
    if (!violation.missing.empty()) return missing_key(violation);
    const json::Value* secret = beside(violation, "writeOnly");
    const bool hidden = secret && secret->IsTrue();
    return fmt::format("{} {}{}", name_of(violation.instance), demand(violation), hidden ? "" : ", not " + given(violation));
  }

  std::string missing_key(const Violation& violation) const {
    std::string pointer = violation.instance;
    json::append_pointer_token(pointer, violation.missing);
    const json::Value* stated = beside(violation, "properties");
    const json::Value* key = stated ? json::find(*stated, violation.missing) : nullptr;
    const auto about = key ? json::find_string(*key, "description") : std::nullopt;
    return fmt::format("{} is missing{}{}", name_of(pointer), about ? ": " : "", about.value_or(""));
  }

  std::string demand(const Violation& violation) const {
    constexpr std::string_view kOfValues[] = {"type", "enum", "const", "minimum", "maximum"};
    const bool of_value = std::find(std::begin(kOfValues), std::end(kOfValues), violation.keyword) != std::end(kOfValues);
    const json::Value* schema = of_value ? schema_of(violation) : nullptr;
    const std::string wanted = schema ? value_words(*schema) : std::string();
    return wanted.empty() ? violation.demand() : "must be " + wanted;
  }

  std::string given(const Violation& violation) const {
    const json::Value* value = json::value_at(config_, violation.instance);
    if (!value || violation.keyword != "type") return violation.got;
    if (value->IsObject()) return "a table";
    if (value->IsArray()) return "an array";
    return violation.got.substr(violation.got.find(' ') + 1);  // "string", and what it is
  }

  // The schema whose keyword is violated; null if it is of another document.
  const json::Value* schema_of(const Violation& violation) const {
    const std::size_t slash = violation.schema.rfind('/');
    if (!violation.schema.starts_with('/')) return nullptr;
    return json::value_at(schema_, std::string_view(violation.schema).substr(0, slash));
  }

  // Another of its keywords; null if it has none.
  const json::Value* beside(const Violation& violation, std::string_view keyword) const {
    const json::Value* schema = schema_of(violation);
    return schema ? json::find(*schema, keyword) : nullptr;
  }

  // "plugin.math.config.limits[2].name"
  std::string name_of(std::string_view pointer) const {
    std::string name = places_.table().empty() ? "config" : places_.table();
    const json::Value* here = &config_;
    for (const std::string& token : json::pointer_tokens(pointer)) {
      name += here && here->IsArray() ? fmt::format("[{}]", token) : '.' + text::bare_or_quoted(token);
      if (here) here = json::child_at(*here, token);
    }
    return name;
  }

  const json::Value& schema_;
  const json::Value& config_;
  const ConfigPlaces& places_;
  std::vector<Mistake> list_;
};

}  // namespace

Result<void> check_config(std::string_view info, std::string_view config, std::string_view places) {
  json::Document stated;
  if (info.empty() || json::parse(info, stated)) return {};
  const json::Value* schema = json::find(stated, "configSchema");
  if (!schema) return {};
  const auto compiled = schema::Schema::compile(*schema);
  if (!compiled) return error("its configSchema is no good: {}", compiled.message());
  json::Document given;
  if (json::parse(config, given)) return error("its config is not JSON");
  if (compiled->validate(given).valid()) return {};
  const schema::Report report = compiled->explain(given, limits::kConfigMistakesMax);
  if (report.violations.empty()) return error("its config cannot be checked: {}", name(report.verdict.limit));
  const ConfigPlaces known = ConfigPlaces::of_text(places);
  Mistakes mistakes(*schema, given, known);
  for (const schema::Violation& violation : report.violations) mistakes.add(violation);
  return error("its config is not as its configSchema says:{}{}", mistakes.text(), report.truncated ? "\n… and perhaps more" : "");
}

}  // namespace collet::plugin
