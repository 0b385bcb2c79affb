#include "transport/field_list.h"

#include <algorithm>

namespace collet::transport {

std::string_view trimmed(std::string_view value) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
  while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
  return value;
}

std::optional<std::string_view> FieldList::next() {
  while (!rest_.empty()) {
    if (const std::string_view element = trimmed(take()); !element.empty()) return element;
  }
  return std::nullopt;
}

// Up to the next separator, which is taken too.
std::string_view FieldList::take() {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < rest_.size(); ++at) {
    if (rest_[at] == '"') quoted = !quoted;
    if (quoted && rest_[at] == '\\') ++at;
    if (!quoted && rest_[at] == separator_) break;
  }
  const std::string_view taken = rest_.substr(0, at);
  rest_.remove_prefix(std::min(at + 1, rest_.size()));
  return taken;
}

}  // namespace collet::transport
