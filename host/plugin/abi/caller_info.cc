#include "plugin/abi/caller_info.h"

#include "base/json.h"
#include "base/text.h"

namespace collet::plugin {

std::optional<std::string_view> CallerInfo::find(std::string_view key) const {
  constexpr std::string_view kHeader = "header:";
  for (const auto& [known, value] : known_) {
    if (known == key || (key.starts_with(kHeader) && text::equals_ignoring_case(known, key))) return value;
  }
  return key.starts_with(kHeader) ? header(key.substr(kHeader.size())) : std::nullopt;
}

std::optional<std::string_view> CallerInfo::header(std::string_view name) const {
  const std::lock_guard lock(headers_->mutex);
  auto& headers = headers_->all;
  if (!headers) {
    headers.emplace();
    json::Document all;
    if (!json::parse(find("headers").value_or("{}"), all) && all.IsObject()) {
      for (const auto& [key, value] : std::as_const(all).GetObject()) headers->emplace_back(json::view(key), json::view(value));
    }
  }
  for (const auto& [known, value] : *headers) {
    if (text::equals_ignoring_case(known, name)) return value;
  }
  return std::nullopt;
}

}  // namespace collet::plugin
