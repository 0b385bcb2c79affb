// The headers that mirror a modern request's body (2026-07-28, streamable-http, Request Metadata).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "registry/definition.h"
#include "rpc/error.h"
#include "rpc/message.h"
#include "transport/http.h"

namespace collet::protocol {

// Mcp-Method and, where the method has one, Mcp-Name must say what the body says, and must be there in a request.
// What comes twice must say so each time.
std::optional<rpc::Error> check_mirrored(const transport::HttpRequest& http, const rpc::Message& message);

// Each mirrored parameter's header must say what the arguments say; null: there are none. `text` is their exact
// text.
std::optional<rpc::Error> check_mirrored_parameters(const transport::HttpRequest& http,
                                                    const std::vector<registry::MirroredParameter>& parameters,
                                                    const json::Value* arguments, std::string_view text);

// A header value as it was before encoding: =?base64?…?= is decoded; nothing if that is not base64.
std::optional<std::string> decode_header_value(std::string_view value);

}  // namespace collet::protocol
