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
