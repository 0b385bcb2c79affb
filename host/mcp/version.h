// The revisions of MCP.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace collet::mcp {

// Each request says for itself who asks and in which version.
inline constexpr std::array<std::string_view, 1> kModernVersions = {"2026-07-28"};
// `initialize` opens a session. Newest first: the first one is offered to a client that asks for one we do not know.
inline constexpr std::array<std::string_view, 4> kLegacyVersions = {"2025-11-25", "2025-06-18", "2025-03-26",
                                                                    "2024-11-05"};

// The list's own text for `version`, which lives for ever; empty if it is not in there.
template <std::size_t N>
constexpr std::string_view known(const std::array<std::string_view, N>& versions, std::string_view version) {
  for (std::string_view candidate : versions) {
    if (candidate == version) return candidate;
  }
  return {};
}
constexpr std::string_view known_modern(std::string_view version) { return known(kModernVersions, version); }
constexpr std::string_view known_legacy(std::string_view version) { return known(kLegacyVersions, version); }

}  // namespace collet::mcp
