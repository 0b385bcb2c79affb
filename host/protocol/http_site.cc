#include "protocol/http_site.h"

#include "protocol/http_content.h"

namespace collet::protocol {

using transport::Header;
using transport::HttpReply;
using transport::HttpRequest;

HttpSite::HttpSite(ServerLoop& loop, const Access& access, HttpPaths paths, const Documents& documents)
    : access_(access), paths_(std::move(paths)), documents_(documents), mcp_(loop), sse_(loop, paths_.sse) {}

void HttpSite::on_request(const HttpRequest& http, HttpReply& reply) {
  const bool is_mcp = http.path == paths_.mcp;
  const bool is_sse = !is_mcp && !paths_.sse.empty() && http.path == paths_.sse;
  if (!is_mcp && !is_sse) {
    if (const auto found = documents_.find(http.path); found != documents_.end()) {
      return serve(found->second, http, reply);
    }
    return refuse(reply, 404, fmt::format("Nothing is here. The MCP endpoint is {}\n", paths_.mcp));
  }
  if (http.method == "OPTIONS" && http.header("access-control-request-method").data())
    return preflight(http, reply);
  std::string principal;
  if (const auto refused = access_.check(http, principal)) {
    const Header challenge{refused->challenge.empty() ? "" : "WWW-Authenticate", refused->challenge};
    return refuse(reply, refused->status, refused->message, challenge);
  }
  if (is_mcp) return mcp_.serve(http, reply, std::move(principal));
  sse_.serve(http, reply, std::move(principal));
}

// Readable without a token and by every page: it says no more than how to connect.
void HttpSite::serve(const Document& document, const HttpRequest& http, HttpReply& reply) {
  if (const auto refused = access_.check_host(http)) return refuse(reply, refused->status, refused->message);
  if (http.method != "GET" && http.method != "HEAD") {
    return refuse(reply, 405, "This is a document: GET it\n", {"Allow", "GET, HEAD"});
  }
  const Header headers[] = {{"Access-Control-Allow-Origin", "*"},
                            {"Cache-Control", "public, max-age=300"},
                            {"ETag", document.etag},
                            {"Content-Type", document.media_type}};
  if (http.header("if-none-match") == document.etag) return reply.respond(304, std::span(headers, 3), {});
  const std::string_view body = document.body;
  reply.respond(200, headers, {&body, 1});
}

// What a browser asks before it lets a page talk to us (Fetch, CORS-preflight). It carries no credentials.
void HttpSite::preflight(const HttpRequest& http, HttpReply& reply) {
  if (const auto refused = access_.check_names(http)) return refuse(reply, refused->status, refused->message);
  const Header headers[] = {
      {"Access-Control-Allow-Origin", http.header("origin")},
      {"Access-Control-Allow-Methods", "POST, GET, DELETE"},
      {"Access-Control-Allow-Headers", http.header("access-control-request-headers")},
      {"Access-Control-Max-Age", "600"},
  };
  reply.respond(204, headers, {});
}

}  // namespace collet::protocol
