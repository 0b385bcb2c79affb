// Log levels: MCP's names for the severities of RFC 5424.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace collet::protocol {

inline constexpr std::array<std::string_view, 8> kSeverityNames = {"emergency", "alert",  "critical", "error",
                                                                   "warning",   "notice", "info",     "debug"};

constexpr std::optional<unsigned> severity_from(std::string_view name) {
  for (unsigned severity = 0; severity < kSeverityNames.size(); ++severity) {
    if (kSeverityNames[severity] == name) return severity;
  }
  return std::nullopt;
}

}  // namespace collet::protocol
