// The two eras of MCP's revisions, and what some of these alone have.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mcp/version.h"

namespace collet::protocol {

using mcp::kLegacyVersions;
using mcp::kModernVersions;
using mcp::known_legacy;
using mcp::known_modern;

enum class Era : std::uint8_t { modern, legacy };

// What a request over HTTP without a version header speaks (2025-06-18, basic/transports, Protocol Version Header).
inline constexpr std::string_view kVersionWithoutHeader = "2025-03-26";

// The only one with batches, and the only one with tasks in its core.
inline constexpr std::string_view kBatchVersion = "2025-03-26";
inline constexpr std::string_view kCoreTasksVersion = "2025-11-25";

// Whether an error that answers what has no id that could be read has `"id":null`, as JSON-RPC wants (§5). The
// schemas since 2025-11-25 have no null there, and leave the member out.
constexpr bool wants_null_id(std::string_view version) { return version < "2025-11-25"; }

// All of both eras as a JSON array. A server of both says all of them wherever it names what it speaks: a client
// takes its pick, in whichever era (2026-07-28, basic/versioning).
const std::string& supported_versions();

}  // namespace collet::protocol
