// Fields of an HTTP message: what they may be called and say, and finding one. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/net/result.h"

namespace collet::client {

struct HttpHeader {
  std::string name;
  std::string value;
  bool operator==(const HttpHeader&) const = default;
};

// The first header of that name in any case; its data() is null if there is none.
std::string_view find_header(const std::vector<HttpHeader>& headers, std::string_view name);

// Whether a field may be called so (RFC 9110 §5.6.2), and whether it may have this value.
bool is_header_name(std::string_view name);
bool is_header_value(std::string_view value);
// A configured header as it can be sent: a line break at the end of the value, as files have one, is cut. A failure
// names the header.
Result<HttpHeader> checked_header(std::string_view name, std::string_view value);

}  // namespace collet::client
