// Headers that repeat what a message says (2026-07-28, streamable-http, Request Metadata), and those that a user
// configures.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/fetch.h"
#include "client/result.h"
#include "client/text.h"

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

// Whether a field may be called so (RFC 9110 §5.6.2), and whether it may have this value.
bool is_header_name(std::string_view name);
bool is_header_value(std::string_view value);
// A configured header as it can be sent: a line break at the end of the value, as files have one, is cut. A failure
// names the header.
Result<HttpHeader> checked_header(std::string_view name, std::string_view value);

// "scheme://host:port" of an http or https URL, in lower case; empty if it is none.
std::string origin_of(std::string_view url);

}  // namespace collet::client
