#include "registry/view.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "registry/registry.h"

namespace collet::registry {
namespace {

constexpr unsigned bit(Kind kind) { return 1u << static_cast<unsigned>(kind); }
constexpr unsigned kEvery = bit(Kind::tool) | bit(Kind::resource) | bit(Kind::resource_template) | bit(Kind::prompt);

constexpr std::pair<std::string_view, unsigned> kPrefixes[] = {{"tool:", bit(Kind::tool)},
                                                            {"resource:", bit(Kind::resource)},
                                                            {"template:", bit(Kind::resource_template)},
                                                            {"prompt:", bit(Kind::prompt)}};

constexpr std::pair<std::string_view, unsigned> kHints[] = {{"@read-only", kReadOnly},
                                                            {"@destructive", kDestructive},
                                                            {"@idempotent", kIdempotent},
                                                            {"@open-world", kOpenWorld}};

// Whether `pattern`, in which * stands for any text, is all of `text`: in steps of their lengths together, as each *
// takes as little as it can and is never gone back to once a later one has been reached.
bool is_like(std::string_view text, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resumed = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      resumed = at;
    } else if (in < pattern.size() && pattern[in] == text[at]) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++resumed;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

}  // namespace

std::optional<std::string> find_mistake(std::string_view rule) {
  if (rule.empty()) return "it is empty";
  const auto is_rule = [&](const auto& known) { return known.first == rule; };
  if (rule[0] == '@' && std::none_of(std::begin(kHints), std::end(kHints), is_rule)) {
    return "there are @read-only, @destructive, @idempotent and @open-world";
  }
  return std::nullopt;
}

View::View(const ViewRules& rules) : allow_(read(rules.allow)), deny_(read(rules.deny)), unlisted_(read(rules.unlisted)) {}

View::Rules View::read(const std::vector<std::string>& rules) {
  Rules out;
  for (std::string_view text : rules) {
    Rule& rule = out.emplace_back();
    rule.kinds = kEvery;
    for (const auto& [word, hint] : kHints) {
      if (text == word) rule.hints = hint;
    }
    for (const auto& [prefix, kind] : kPrefixes) {
      if (!text.starts_with(prefix) || rule.kinds != kEvery) continue;
      rule.kinds = kind;
      text.remove_prefix(prefix.size());
    }
    rule.pattern = text;
  }
  return out;
}

bool View::Rule::matches(const Item& item) const {
  if (!(kinds & bit(item.def->kind))) return false;
  return hints ? (item.compiled->hints & hints) != 0 : is_like(item.name, pattern);
}

Sight View::sight_of(const Item& item) const {
  const auto any_of = [&](const Rules& rules) {
    return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.matches(item); });
  };
  if ((!allow_.empty() && !any_of(allow_)) || any_of(deny_)) return Sight::hidden;
  return any_of(unlisted_) ? Sight::unlisted : Sight::listed;
}

}  // namespace collet::registry
