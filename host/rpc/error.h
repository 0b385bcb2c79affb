// The errors of JSON-RPC 2.0 (§5.1), built here and nowhere else.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <utility>

#include "mcp/error_codes.h"

namespace collet::rpc {

struct Error {
  int code = 0;  // mcp/error_codes.h
  std::string message;
  std::string data = {};  // JSON text, or empty
  int http_status = 200;  // of the answer, where the transport is HTTP
};

Error parse_error(std::string message);
Error invalid_request(std::string message);
Error method_not_found(std::string_view method);
Error invalid_params(std::string message);
// In the words of fmt::format().
template <class... Args>
Error invalid_params(fmt::format_string<Args...> format, Args&&... args) {
  return invalid_params(fmt::format(format, std::forward<Args>(args)...));
}
Error internal_error(std::string message);
Error out_of_memory();

}  // namespace collet::rpc
