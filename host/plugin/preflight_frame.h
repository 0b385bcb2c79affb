// What passes between Preflight and its child: texts, each with its length before it.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace collet::plugin::preflight {

inline constexpr int kReportDescriptor = 3;
inline constexpr int kReportFailed = 113;  // exit code: the report's descriptor is gone

inline void append_frame(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out += text;
}

// Takes one text off the front; nothing if it is not there in full.
inline std::optional<std::string_view> take_frame(std::string_view& rest) {
  std::uint32_t size;
  if (rest.size() < sizeof size) return std::nullopt;
  std::memcpy(&size, rest.data(), sizeof size);
  if (rest.size() - sizeof size < size) return std::nullopt;
  const std::string_view text = rest.substr(sizeof size, size);
  rest.remove_prefix(sizeof size + size);
  return text;
}

}  // namespace collet::plugin::preflight
