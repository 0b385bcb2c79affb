#include "client/net/http_header.h"

#include <algorithm>

#include "client/net/text.h"

namespace collet::client {
namespace {

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string_view find_header(const std::vector<HttpHeader>& headers, std::string_view name) {
  const auto at = std::find_if(headers.begin(), headers.end(),
                               [&](const HttpHeader& header) { return equals_ignoring_case(header.name, name); });
  return at == headers.end() ? std::string_view() : std::string_view(at->value);
}

bool is_header_name(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return is_alphanumeric(c) || kMarks.find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return (c >= ' ' && c < '\x7f') || c == '\t'; });
}

Result<HttpHeader> checked_header(std::string_view name, std::string_view value) {
  if (!is_header_name(name)) return Error{"'" + std::string(name) + "' is no name of a header"};
  while (value.ends_with('\n') || value.ends_with('\r')) value.remove_suffix(1);
  const auto what = "header " + std::string(name);
  if (value.find_first_of("\r\n") != value.npos) return Error{what + ": its value has a line break"};
  const auto is_control = [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7f; };
  if (std::any_of(value.begin(), value.end(), is_control))
    return Error{what + ": its value has a control character"};
  return HttpHeader{std::string(name), std::string(value)};
}

}  // namespace collet::client
