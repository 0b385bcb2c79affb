// Structs and texts of the ABI, as they arrive from a plugin that may be older, newer or wrong.
#pragma once

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "collet/plugin.h"

namespace collet::plugin {

// A struct that its producer may have built shorter or longer: the fields it does not have are zero.
template <class Struct>
Struct copy_struct(const Struct& given) {
  Struct copy{};
  std::memcpy(&copy, &given, std::min<std::size_t>(given.struct_size, sizeof copy));
  return copy;
}

inline bool is_sound(const char* data, std::size_t size) { return data || size == 0; }
inline bool is_sound(const collet_str& text) { return is_sound(text.data, text.size); }
inline std::string_view view(const char* data, std::size_t size) {
  return data ? std::string_view(data, size) : std::string_view();
}
inline std::string_view view(const collet_str& text) { return view(text.data, text.size); }
// Never absent, even if it is empty.
inline collet_str to_str(std::string_view text) { return {text.data() ? text.data() : "", text.size()}; }

// What may be absent, in both directions.
inline std::optional<std::string_view> optional_view(const collet_str& text) {
  return text.data ? std::optional(view(text)) : std::nullopt;
}
inline std::optional<std::string_view> optional_view(const std::optional<std::string>& text) {
  return text ? std::optional<std::string_view>(*text) : std::nullopt;
}
inline collet_str to_optional_str(const std::optional<std::string_view>& text) {
  return text ? to_str(*text) : collet_str{};
}

// "COLLET_E_INVALID"; COLLET_E_INTERNAL for what is not known.
std::string_view status_name(std::int32_t status);

}  // namespace collet::plugin
