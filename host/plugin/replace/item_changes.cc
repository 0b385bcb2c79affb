#include "plugin/replace/item_changes.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "mcp/kinds.h"

namespace collet::plugin {
namespace {

using registry::Kind;

constexpr std::size_t kNamesShown = 8;  // of each kind of change

void append_names(std::string& out, char sign, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) {
    out += fmt::format("{}{}{}", out.empty() ? "" : " ", sign, names[i]);
  }
  if (names.size() > kNamesShown) out += fmt::format(" {}{} more", sign, names.size() - kNamesShown);
}

std::map<std::pair<Kind, std::string_view>, const OfferedItem*> by_name(const std::vector<OfferedItem>& items) {
  std::map<std::pair<Kind, std::string_view>, const OfferedItem*> found;
  for (const OfferedItem& item : items) found.emplace(std::pair(item.kind, std::string_view(item.name)), &item);
  return found;
}

// The first two numbers of a version that begins with such.
std::optional<std::pair<unsigned, unsigned>> first_numbers(std::string_view version) {
  std::pair<unsigned, unsigned> numbers;
  const char* const end = version.data() + version.size();
  const auto first = std::from_chars(version.data(), end, numbers.first);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, numbers.second);
  if (second.ec != std::errc()) return std::nullopt;
  return numbers;
}

}  // namespace

std::string ItemChanges::to_text() const {
  std::string out;
  append_names(out, '+', added);
  append_names(out, '-', removed);
  append_names(out, '~', changed);
  return out;
}

std::string spoken_name(Kind kind, std::string_view name) {
  return kind == Kind::tool ? std::string(name) : fmt::format("{} {}", mcp::names_of(kind).word, name);
}

ItemChanges changes_between(const std::vector<OfferedItem>& before, const std::vector<OfferedItem>& now) {
  ItemChanges changes;
  const auto old = by_name(before);
  const auto offered = by_name(now);
  for (const auto& [key, item] : offered) {
    const auto found = old.find(key);
    if (found == old.end()) {
      changes.added.push_back(spoken_name(key.first, key.second));
    } else if (!found->second->looks_like(*item)) {
      changes.changed.push_back(spoken_name(key.first, key.second));
    }
  }
  for (const auto& [key, item] : old) {
    if (offered.contains(key)) continue;
    changes.removed.push_back(spoken_name(key.first, key.second));
    if (item->from_start) changes.lost.push_back(changes.removed.back());
  }
  return changes;
}

bool says_that_items_go(std::string_view before, std::string_view now) {
  const auto old = first_numbers(before);
  const auto next = first_numbers(now);
  if (!old || !next) return before != now;
  return next->first > old->first || (next->first == 0 && old->first == 0 && next->second > old->second);
}

std::string_view number_to_raise(std::string_view version) {
  const auto numbers = first_numbers(version);
  return !numbers ? "it" : numbers->first == 0 ? "its second number" : "its first number";
}

}  // namespace collet::plugin
