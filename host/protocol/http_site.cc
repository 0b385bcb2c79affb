#include "protocol/http_site.h"

#include "protocol/http_content.h"

namespace collet::protocol {

using transport::Header;
using transport::HttpReply;
using transport::HttpRequest;

namespace {

// A slash behind a path names the same.
bool is_path(std::string_view asked, std::string_view path) {
  return asked == path || (asked.size() == path.size() + 1 && asked.back() == '/' && asked.starts_with(path));
}

// What a browser asks before it lets a page talk to us (Fetch, CORS-preflight). It carries no credentials.
bool is_preflight(const HttpRequest& http) {
  return http.method == "OPTIONS" && http.header("access-control-request-method").data();
}

// Allows what is asked for and says no more. Whether a method is served is told by the answer to it, which the page
// can then read.
void answer_preflight(const HttpRequest& http, HttpReply& reply, std::string_view page) {
  std::vector<Header> headers = {{"Access-Control-Allow-Origin", page},
                                 {"Vary", "Origin"},
                                 {"Access-Control-Allow-Methods", http.header("access-control-request-method")}};
  std::string joined;
  if (const auto names = http.listed("access-control-request-headers", joined); !names.empty()) {
    headers.push_back({"Access-Control-Allow-Headers", names});
  }
  if (http.header("access-control-request-private-network") == "true") {
    headers.push_back({"Access-Control-Allow-Private-Network", "true"});
  }
  headers.push_back({"Access-Control-Max-Age", "600"});
  reply.respond(204, headers, {});
}

}  // namespace

HttpSite::HttpSite(ServerLoop& loop, const Access& access, HttpPaths paths, const Documents& documents)
    : access_(access), paths_(std::move(paths)), documents_(documents), mcp_(loop), sse_(loop) {}

void HttpSite::on_request(const HttpRequest& http, HttpReply& reply) {
  auto principal = admit(http, reply);
  if (!principal) return;
  if (is_path(http.path, paths_.mcp)) return mcp_.serve(http, reply, *std::move(principal));
  sse_.serve(http, reply, *std::move(principal));
}

// With a token it is counted to whom that stands for, from whatever addresses.
bool HttpSite::refuses(const HttpRequest& header, HttpReply& reply, std::string& client) {
  const auto principal = admit(header, reply);
  if (principal && !principal->empty()) client = "principal " + *principal;
  return !principal;
}

std::optional<std::string> HttpSite::admit(const HttpRequest& http, HttpReply& reply) {
  const bool is_mcp = is_path(http.path, paths_.mcp);
  const bool is_sse = !is_mcp && !paths_.sse.empty() && is_path(http.path, paths_.sse);
  if (!is_mcp && !is_sse) {
    if (const auto found = documents_.find(http.path); found != documents_.end()) {
      serve(found->second, http, reply);
      return std::nullopt;
    }
  }
  const std::string_view page = access_.is_from_page(http) ? page_of(http) : std::string_view();
  if (is_preflight(http)) {
    if (const auto refused = access_.check_names(http)) {
      refuse(reply, page, refused->status, refused->message);
    } else {
      answer_preflight(http, reply, page);
    }
    return std::nullopt;
  }
  if (!is_mcp && !is_sse) {
    refuse(reply, page, 404, fmt::format("Nothing is here. The MCP endpoint is {}\n", paths_.mcp));
    return std::nullopt;
  }
  std::string principal;
  if (const auto refused = access_.check(http, principal)) {
    const Header challenge{refused->challenge.empty() ? "" : "WWW-Authenticate", refused->challenge};
    refuse(reply, page, refused->status, refused->message, challenge);
    return std::nullopt;
  }
  return principal;
}

void HttpSite::on_refusal(const HttpRequest& http, std::vector<Header>& headers) {
  if (!access_.is_from_page(http)) return;
  const auto more = readable_by(page_of(http));
  headers.insert(headers.end(), more.begin(), more.end());
}

// Readable without a token and by every page: it says no more than how to connect.
void HttpSite::serve(const Document& document, const HttpRequest& http, HttpReply& reply) {
  constexpr std::string_view kEveryPage = "*";
  if (const auto refused = access_.check_host(http)) return refuse(reply, {}, refused->status, refused->message);
  if (is_preflight(http)) return answer_preflight(http, reply, kEveryPage);
  if (http.method != "GET" && http.method != "HEAD") {
    return refuse(reply, kEveryPage, 405, "This is a document: GET it\n", {"Allow", "GET, HEAD"});
  }
  const Header headers[] = {{"Access-Control-Allow-Origin", kEveryPage},
                            {"Cache-Control", "public, max-age=300"},
                            {"ETag", document.etag},
                            {"Content-Type", document.media_type}};
  if (http.header("if-none-match") == document.etag) return reply.respond(304, std::span(headers, 3), {});
  const std::string_view body = document.body;
  reply.respond(200, headers, {&body, 1});
}

}  // namespace collet::protocol
