#include "protocol/http/plugin_routes.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "protocol/http/http_content.h"
#include "protocol/http/route_call.h"
#include "protocol/server.h"
#include "registry/uri_spelling.h"

namespace collet::protocol {

using transport::HttpReply;
using transport::HttpRequest;

namespace {

// Of the connection (RFC 9110 §7.6.1), and of the host: whoever has the token has its rights.
constexpr std::string_view kKept[] = {"Authorization",       "Connection", "Keep-Alive", "Proxy-Authorization",
                                      "Proxy-Connection",    "TE",         "Trailer",    "Transfer-Encoding",
                                      "Upgrade"};

registry::WebRequestPtr read_request(const HttpRequest& http) {
  auto request = std::make_shared<registry::WebRequest>();
  request->method = http.method;
  if (!http.query.empty()) request->query.emplace(http.query);
  for (const transport::Header& header : http.headers) {
    const auto is_it = [&](std::string_view name) { return text::equals_ignoring_case(header.name, name); };
    if (std::ranges::none_of(kKept, is_it)) request->fields.push_back({std::string(header.name), std::string(header.value)});
  }
  request->body = http.body;
  return request;
}

// "/plugins/web" → "web": a page's relative links are below its folder. The query stays.
std::string folder_of(const HttpRequest& http) {
  std::string folder(http.path.substr(http.path.rfind('/') + 1));
  folder += '/';
  if (!http.query.empty()) folder.append("?").append(http.query);
  return folder;
}

void serve(ServerLoop& loop, const HttpRequest& http, HttpReply& reply, registry::PrincipalPtr principal) {
  const std::string_view page = page_of(http);
  std::string path = registry::normalised_encoding(http.path);
  if (!registry::is_route_path(path)) return refuse(reply, page, 400, "This path is not served\n");
  const bool names_folder = path.find('/', registry::kRoutesPath.size()) == std::string::npos;
  if (names_folder) path += '/';
  const registry::Item* route = loop.find_route(path, principal);
  if (!route) return refuse(reply, page, 404, "Nothing is here\n");
  if (names_folder) return respond(reply, page, 308, {{"Location", folder_of(http)}});
  if (!takes_method(route->compiled->methods, http, reply, page)) return;
  const std::size_t below = path.find('/', registry::kRoutesPath.size());
  loop.begin_route(*route, std::string_view(path).substr(below), read_request(http), reply, std::move(principal), std::string(page));
}

}  // namespace

Route plugin_routes(ServerLoop& loop) {
  return {.path = std::string(registry::kRoutesPath),
          .handler = [&loop](const HttpRequest& http, HttpReply& reply, registry::PrincipalPtr principal) {
            serve(loop, http, reply, std::move(principal));
          },
          .is_folder = true};
}

}  // namespace collet::protocol
