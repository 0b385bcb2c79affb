#include "protocol/http/plugin_routes.h"

#include <algorithm>

#include "base/text.h"
#include "protocol/http/http_content.h"
#include "protocol/server.h"
#include "protocol/server_loop.h"
#include "registry/uri_spelling.h"
#include "transport/field_list.h"

namespace collet::protocol {

using transport::HttpReply;
using transport::HttpRequest;

namespace {

// Of the connection (RFC 9110 §7.6.1), and of the host: whoever has the token has its rights.
constexpr std::string_view kWithheld[] = {"Authorization", "Connection", "Keep-Alive",        "Proxy-Authorization", "Proxy-Connection",
                                          "TE",            "Trailer",    "Transfer-Encoding", "Upgrade"};

bool lists(std::string_view names, std::string_view name) {
  transport::FieldList list(names);
  while (const auto each = list.next()) {
    if (text::equals_ignoring_case(*each, name)) return true;
  }
  return false;
}

std::shared_ptr<registry::WebRequest> read_request(const HttpRequest& http) {
  auto request = std::make_shared<registry::WebRequest>();
  request->method = http.method;
  if (!http.query.empty()) request->query.emplace(http.query);
  std::string joined;
  const std::string_view of_connection = http.listed("connection", joined);
  for (const transport::Header& header : http.headers) {
    const auto is_it = [&](std::string_view name) { return text::equals_ignoring_case(header.name, name); };
    if (std::ranges::any_of(kWithheld, is_it) || lists(of_connection, header.name)) continue;
    request->fields.push_back({std::string(header.name), std::string(header.value)});
  }
  request->body = http.body;
  request->is_whole = !http.body_follows;
  return request;
}

// "/plugins/web" → "web": a page's relative links are below its folder. The query stays.
std::string folder_of(const HttpRequest& http) {
  std::string folder(http.path.substr(http.path.rfind('/') + 1));
  folder += '/';
  if (!http.query.empty()) folder.append("?").append(http.query);
  return folder;
}

// A browser says no Origin where another site's page has it get something, by an <img> for one, and cannot read it.
bool comes_unasked(const HttpRequest& http) {
  return http.header("sec-fetch-site") == "cross-site" && http.header("sec-fetch-mode") != "navigate" &&
         !http.header("origin").data();
}

void serve(ServerLoop& loop, const HttpRequest& http, HttpReply& reply, registry::PrincipalPtr principal) {
  const std::string_view page = page_of(http);
  std::string path = registry::normalised_encoding(http.path);
  if (!registry::is_route_path(path)) return refuse(reply, page, 400, "This path is not served\n");
  if (comes_unasked(http)) return refuse(reply, page, 403, "A page of another site may only lead here\n");
  const bool names_folder = path.find('/', registry::kRoutesPath.size()) == std::string::npos;
  if (names_folder) path += '/';
  const registry::Item* route = loop.catalog().find_route(path, principal);
  if (!route) return refuse(reply, page, 404, "Nothing is here\n");
  if (names_folder) return respond(reply, page, 308, {{"Location", folder_of(http)}});
  if (!takes_method(route->compiled->methods, http, reply, page)) return;
  const std::size_t streamed_bytes_max = route->compiled->streamed_bytes_max;
  if (streamed_bytes_max > 0 && http.body.size() > streamed_bytes_max) return refuse(reply, page, 413, "The body is too large\n");
  auto request = read_request(http);
  request->is_streamed = streamed_bytes_max > 0;
  const std::size_t below = path.find('/', registry::kRoutesPath.size());
  loop.routes().begin(*route, std::string_view(path).substr(below), std::move(request), reply,
                   {.principal = std::move(principal),
                    .page = std::string(page),
                    .headers = kept_headers(http, loop.server().options().kept_headers),
                    .wants_head_only = http.method == "HEAD"});
}

// How much of a body the route takes as it comes, if it does.
std::size_t streamed_bytes_max_of(ServerLoop& loop, const HttpRequest& http, const registry::PrincipalPtr& principal) {
  const std::string path = registry::normalised_encoding(http.path);
  if (!registry::is_route_path(path)) return 0;
  const registry::Item* route = loop.catalog().find_route(path, principal);
  return route ? route->compiled->streamed_bytes_max : 0;
}

}  // namespace

Route plugin_routes(ServerLoop& loop) {
  return {.path = std::string(registry::kRoutesPath),
          .handler = [&loop](const HttpRequest& http, HttpReply& reply, registry::PrincipalPtr principal) {
            serve(loop, http, reply, std::move(principal));
          },
          .is_folder = true,
          .streams = [&loop](const HttpRequest& http, const registry::PrincipalPtr& principal) {
            return streamed_bytes_max_of(loop, http, principal);
          }};
}

}  // namespace collet::protocol
