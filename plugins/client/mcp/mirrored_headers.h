// Headers that repeat what a message says (2026-07-28, streamable-http, Request Metadata).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/net/http_header.h"
#include "client/net/result.h"

namespace collet::client {

// A parameter of a tool that is repeated in a header: x-mcp-header in its inputSchema.
struct MirroredParameter {
  std::string header;             // "Mcp-Param-Region"
  std::vector<std::string> path;  // from the arguments down
};

// Those of a tool; a failure if its schema is not as the specification wants it, so that the tool may not be used.
Result<std::vector<MirroredParameter>> read_mirrored(std::string_view input_schema);

// The headers of a call with these arguments, JSON text.
std::vector<HttpHeader> mirrored_headers(const std::vector<MirroredParameter>& parameters,
                                         std::string_view arguments);

// A value as a header can carry it: as it is, or =?base64?…?=.
std::string encode_header_value(std::string_view value);

}  // namespace collet::client
