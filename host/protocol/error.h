// The errors that MCP adds to JSON-RPC's (2026-07-28, basic, Error Codes), built here and nowhere else.
#pragma once

#include <string>
#include <string_view>

#include "rpc/error.h"
#include "rpc/message.h"

namespace collet::protocol {

// The id of an error that answers a message of that id, which is empty if none could be read.
rpc::Id id_of_refusal(const rpc::Id& id, std::string_view version);

rpc::Error header_mismatch(std::string message);
// `capability` as in ClientCapabilities: "sampling".
rpc::Error missing_capability(std::string_view capability);
rpc::Error unsupported_version(std::string_view requested);
// `extension` as in ClientCapabilities.extensions.
rpc::Error missing_extension(std::string_view extension);
// _meta lacks what every modern request carries.
rpc::Error bad_meta(std::string message);

}  // namespace collet::protocol
