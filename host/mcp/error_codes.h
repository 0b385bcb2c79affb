// The codes of errors, all that there are.
#pragma once

namespace collet::mcp {

// Of JSON-RPC 2.0 (§5.1), which MCP takes over (2026-07-28, basic, Error Codes).
inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;

// MCP's own (the same section).
inline constexpr int kHeaderMismatch = -32020;           // basic/transports/streamable-http, Server Validation
inline constexpr int kMissingClientCapability = -32021;  // basic, _meta
inline constexpr int kUnsupportedVersion = -32022;       // basic/versioning

// Until 2025-11-25 (server/resources, Error Handling); since then it is kInvalidParams.
inline constexpr int kResourceNotFound = -32002;

}  // namespace collet::mcp
