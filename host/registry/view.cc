#include "registry/view.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "registry/registry.h"
#include "registry/uri_spelling.h"

namespace collet::registry {
namespace {

constexpr unsigned kEvery = (1u << kKinds) - 1;

// Takes the kinds that a rule is kept to from its beginning.
unsigned take_kinds(std::string_view& rule) {
  for (const mcp::KindNames& names : mcp::kKindTable) {
    if (!rule.starts_with(names.word) || !rule.substr(names.word.size()).starts_with(':')) continue;
    rule.remove_prefix(names.word.size() + 1);
    return mcp::bit(names.kind);
  }
  return kEvery;
}

unsigned hint_of(std::string_view rule) {
  for (const mcp::HintNames& names : mcp::kHintTable) {
    if (names.rule == rule) return names.hint;
  }
  return 0;
}

}  // namespace

std::optional<std::string> find_mistake(std::string_view rule) {
  if (rule.empty()) return "it is empty";
  for (const mcp::KindNames& names : mcp::kKindTable) {
    if (rule.starts_with(fmt::format("{}s:", names.word))) return fmt::format("say {}: before a pattern", names.word);
  }
  take_kinds(rule);
  if (rule.empty()) return "there is no pattern behind its kind: * stands for any name";
  if (rule[0] == '@' && !hint_of(rule)) return "there are @read-only, @destructive, @idempotent and @open-world";
  return std::nullopt;
}

View::View(const ViewRules& rules) : allow_(read(rules.allow)), deny_(read(rules.deny)), unlisted_(read(rules.unlisted)) {}

View::Rules View::read(const std::vector<std::string>& rules) {
  Rules out;
  for (std::string_view text : rules) {
    const unsigned kinds = take_kinds(text);
    out.push_back({kinds, hint_of(text), std::string(text)});
  }
  return out;
}

bool View::Rule::matches(const Item& item) const {
  if (!(kinds & mcp::bit(item.def->kind))) return false;
  if (hints) return (item.compiled->hints & hints) != 0;
  return text::is_like(item.name, pattern) || (item.key != item.name && text::is_like(item.key, pattern));
}

bool View::denies(std::string_view uri, Kind kind) const {
  const std::string spelt = UriTemplate::spelt(uri), decoded = percent_decoded(uri);
  return std::any_of(deny_.begin(), deny_.end(), [&](const Rule& rule) {
    if (rule.hints || !(rule.kinds & mcp::bit(kind))) return false;
    return text::is_like(uri, rule.pattern) || text::is_like(spelt, rule.pattern) || text::is_like(decoded, rule.pattern);
  });
}

Sight View::sight_of(const Item& item) const {
  const auto any_of = [&](const Rules& rules) {
    return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.matches(item); });
  };
  if ((!allow_.empty() && !any_of(allow_)) || any_of(deny_)) return Sight::hidden;
  return any_of(unlisted_) ? Sight::unlisted : Sight::listed;
}

}  // namespace collet::registry
