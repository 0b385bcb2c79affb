#include "protocol/http_content.h"

#include <string>

#include "base/text.h"

namespace collet::protocol {

using transport::Header;
using transport::HttpReply;
using transport::HttpRequest;

bool is_media_type(std::string_view value, std::string_view type) {
  value = value.substr(0, value.find(';'));
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  return text::equals_ignoring_case(value, type);
}

bool accepts(const HttpRequest& http, std::string_view type) {
  std::string_view rest = http.header("accept");
  if (!rest.data()) return true;
  const std::string any_subtype = std::string(type.substr(0, type.find('/'))) + "/*";
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view range = rest.substr(0, comma);
    if (is_media_type(range, type) || is_media_type(range, "*/*") || is_media_type(range, any_subtype)) return true;
    if (comma == std::string_view::npos) return false;
    rest.remove_prefix(comma + 1);
  }
}

std::vector<Header> allow_origin(const HttpRequest& http) {
  const std::string_view origin = http.header("origin");
  if (!origin.data()) return {};
  return {{"Access-Control-Allow-Origin", origin}};
}

void refuse(HttpReply& reply, int status, std::string_view message, Header extra) {
  const Header headers[] = {{"Content-Type", "text/plain; charset=utf-8"}, extra};
  reply.respond(status, std::span(headers, extra.name.empty() ? 1 : 2), {&message, 1});
}

}  // namespace collet::protocol
