#include "transport/field_list.h"

#include <algorithm>

#include "collet/kit/text.hpp"

namespace collet::transport {

std::optional<std::string_view> FieldList::next() {
  while (!rest_.empty()) {
    if (const std::string_view element = kit::trimmed(take()); !element.empty()) return element;
  }
  return std::nullopt;
}

// Up to the next separator, which is taken too.
std::string_view FieldList::take() {
  std::size_t end = std::min(rest_.find(separator_), rest_.size());
  if (rest_.substr(0, end).find('"') != rest_.npos) end = end_of_quoted();
  const std::string_view taken = rest_.substr(0, end);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  return taken;
}

std::size_t FieldList::end_of_quoted() const {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < rest_.size(); ++at) {
    if (rest_[at] == '"') quoted = !quoted;
    if (quoted && rest_[at] == '\\') ++at;
    if (!quoted && rest_[at] == separator_) break;
  }
  return std::min(at, rest_.size());
}

}  // namespace collet::transport
