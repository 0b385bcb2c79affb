// The revisions of MCP that this host speaks, and their two eras.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace collet::protocol {

// modern: each request says for itself who asks and in which version. legacy: `initialize` opens a session.
enum class Era : std::uint8_t { modern, legacy };

inline constexpr std::array<std::string_view, 1> kModernVersions = {"2026-07-28"};
// Newest first: the first one is offered to a client that asks for one we do not know.
inline constexpr std::array<std::string_view, 4> kLegacyVersions = {"2025-11-25", "2025-06-18", "2025-03-26",
                                                                    "2024-11-05"};
// What a request over HTTP without a version header speaks (2025-06-18, basic/transports, Protocol Version Header).
inline constexpr std::string_view kVersionWithoutHeader = "2025-03-26";

// The only one with batches, and the only one with tasks in its core.
inline constexpr std::string_view kBatchVersion = "2025-03-26";
inline constexpr std::string_view kCoreTasksVersion = "2025-11-25";

// Whether an error that answers what has no id that could be read has `"id":null`, as JSON-RPC wants (§5). The
// schemas since 2025-11-25 have no null there, and leave the member out.
constexpr bool wants_null_id(std::string_view version) { return version < "2025-11-25"; }

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

// All of both eras as a JSON array. A server of both says all of them wherever it names what it speaks: a client
// takes its pick, in whichever era (2026-07-28, basic/versioning).
const std::string& supported_versions();

}  // namespace collet::protocol
