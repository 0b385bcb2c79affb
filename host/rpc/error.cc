#include "rpc/error.h"

namespace collet::rpc {

Error parse_error(std::string message) { return {mcp::kParseError, "Parse error: " + message, {}, 400}; }

Error invalid_request(std::string message) { return {mcp::kInvalidRequest, "Invalid request: " + message, {}, 400}; }

Error method_not_found(std::string_view method) {
  return {mcp::kMethodNotFound, fmt::format("Method not found: {}", method.substr(0, 128)), {}, 404};
}

Error invalid_params(std::string message) { return {mcp::kInvalidParams, "Invalid params: " + message}; }

Error internal_error(std::string message) { return {mcp::kInternalError, std::move(message)}; }

Error out_of_memory() { return {mcp::kInternalError, "The server is out of memory", {}, 503}; }

}  // namespace collet::rpc
