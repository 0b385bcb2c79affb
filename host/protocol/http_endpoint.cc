#include "protocol/http_endpoint.h"

#include "base/text.h"
#include "protocol/error.h"
#include "protocol/headers.h"

namespace collet::protocol {
namespace {

using transport::Header;
using transport::HttpReply;
using transport::HttpRequest;

void refuse(HttpReply& reply, int status, std::string_view message, Header extra = {}) {
  const Header headers[] = {{"Content-Type", "text/plain; charset=utf-8"}, extra};
  reply.respond(status, std::span(headers, extra.name.empty() ? 1 : 2), {&message, 1});
}

// Whether a Content-Type or one of an Accept header's ranges is `type`; parameters do not matter.
bool is_media_type(std::string_view value, std::string_view type) {
  value = value.substr(0, value.find(';'));
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  return text::equals_ignoring_case(value, type);
}

// A missing Accept accepts everything (RFC 9110 §12.5.1).
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

// What lets a page in a browser read the answer.
std::vector<Header> allow_origin(const HttpRequest& http) {
  const std::string_view origin = http.header("origin");
  if (!origin.data()) return {};
  return {{"Access-Control-Allow-Origin", origin}};
}

rpc::Error unknown_session() {
  return {rpc::kInvalidRequest, "Unknown session: it has ended, initialize a new one", {}, 404};
}

}  // namespace

HttpEndpoint::HttpEndpoint(ServerLoop& loop, const Access& access, std::string path)
    : loop_(loop), access_(access), path_(std::move(path)) {}

void HttpEndpoint::on_request(const HttpRequest& http, HttpReply& reply) {
  if (http.path != path_)
    return refuse(reply, 404, fmt::format("Nothing is here. The MCP endpoint is {}\n", path_));
  if (http.method == "OPTIONS" && http.header("access-control-request-method").data())
    return preflight(http, reply);
  std::string principal;
  if (const auto refused = access_.check(http, principal)) {
    const Header challenge{refused->challenge.empty() ? "" : "WWW-Authenticate", refused->challenge};
    return refuse(reply, refused->status, refused->message, challenge);
  }
  if (http.method == "POST") return post(http, reply, std::move(principal));
  if (http.method == "GET" && accepts(http, "text/event-stream")) return get(http, reply, principal);
  if (http.method == "DELETE") return remove(http, reply, principal);
  refuse(reply, 405, "This is an MCP endpoint: POST a JSON-RPC message to it\n", {"Allow", "POST, GET, DELETE"});
}

void HttpEndpoint::post(const HttpRequest& http, HttpReply& reply, std::string principal) {
  if (!is_media_type(http.header("content-type"), "application/json")) {
    return refuse(reply, 415, "Content-Type must be application/json\n");
  }
  if (!accepts(http, "application/json") && !accepts(http, "text/event-stream")) {
    return refuse(reply, 406, "Accept must list application/json and text/event-stream\n");
  }
  RequestPtr request = loop_.new_request();
  request->context.transport = Transport::http;
  request->received = &http;
  request->context.principal = std::move(principal);
  request->http.open(reply, http.header("origin"));
  auto bad = rpc::parse_message(http.body, request->arena, request->message);
  if (!bad) bad = identify(http, *request);
  request->exchange = rpc::Exchange(request->message.id, request->http);
  if (bad) return request->exchange.error(*bad);

  request->http.set_era(request->context.era);
  if (const SessionPtr& session = request->context.session; session && session->can_resume()) {
    request->http.keep_events(session);
  }
  if (request->message.kind == rpc::Message::Kind::request) return loop_.handle(std::move(request));
  loop_.notice(*request);
  request->exchange.disown();
  request->http.answer_empty(202);
}

std::optional<rpc::Error> HttpEndpoint::identify(const HttpRequest& http, Request& request) {
  const std::string_view header = http.header("mcp-protocol-version");
  if (http.count("mcp-protocol-version") > 1) return header_mismatch("MCP-Protocol-Version is there twice");
  const bool modern = claimed_version(request.message) || (header.data() && known_legacy(header).empty());
  return modern ? identify_modern(http, request) : identify_legacy(http, request);
}

std::optional<rpc::Error> HttpEndpoint::identify_modern(const HttpRequest& http, Request& request) {
  const std::string_view header = http.header("mcp-protocol-version");
  if (!header.data()) return header_mismatch("MCP-Protocol-Version is missing");
  const json::Value* claimed = claimed_version(request.message);
  if (!claimed && known_modern(header).empty()) return unsupported_version(header);
  if (request.message.kind != rpc::Message::Kind::request) {
    request.context.version = known_modern(header);  // which headers a notification needs is not defined
    return std::nullopt;
  }
  const auto bad = read_modern(request.message, request.context);
  if (bad && bad->code != kUnsupportedVersion) return bad;
  if (json::view(*claimed) != header) return header_mismatch("MCP-Protocol-Version does not match the body");
  if (bad) return bad;
  return check_mirrored(http, request.message);
}

std::optional<rpc::Error> HttpEndpoint::identify_legacy(const HttpRequest& http, Request& request) {
  const std::string_view header = http.header("mcp-protocol-version");
  request.context.version = header.data() ? known_legacy(header) : kVersionWithoutHeader;
  const std::string_view session_id = http.header("mcp-session-id");
  if (session_id.data() && request.message.method != "initialize") {
    request.context.session =
        loop_.server().sessions().find(session_id, request.context.principal, loop_.loop().now_ms());
    if (!request.context.session) return unknown_session();
    request.context.version = request.context.session->client().version;
  }
  return read_legacy(request.message, request.context);
}

void HttpEndpoint::get(const HttpRequest& http, HttpReply& reply, const std::string& principal) {
  const std::string_view id = http.header("mcp-session-id");
  if (!id.data()) return refuse(reply, 405, "A stream needs a session: send Mcp-Session-Id\n", {"Allow", "POST"});
  SessionPtr session = loop_.server().sessions().find(id, principal, loop_.loop().now_ms());
  if (!session) return refuse(reply, 404, "Unknown session: it has ended, initialize a new one\n");
  EventLogPtr log;
  EventId last;
  if (const std::string_view last_event = http.header("last-event-id"); last_event.data()) {
    last = EventId::parse(last_event).value_or(EventId());
    log = session->find_log(last.log);
    if (!log) return refuse(reply, 400, "That event is no longer kept: Last-Event-ID names none of this session\n");
  } else {
    log = session->open_side_log();
    if (session->can_poll()) log->append({});  // so that the client knows where to begin again
  }
  reply.begin_events(allow_origin(http));
  loop_.open_reader(reply, std::move(session), std::move(log), last.event, EventReader::Style::resumable);
}

void HttpEndpoint::remove(const HttpRequest& http, HttpReply& reply, const std::string& principal) {
  const std::string_view id = http.header("mcp-session-id");
  if (!id.data()) return refuse(reply, 400, "Send the Mcp-Session-Id of the session to end\n");
  const SessionPtr session = loop_.server().sessions().find(id, principal, loop_.loop().now_ms());
  if (!session) return refuse(reply, 404, "Unknown session: it has ended\n");
  loop_.server().sessions().remove(*session);
  reply.respond(204, {}, {});
}

// What a browser asks before it lets a page talk to us (Fetch, CORS-preflight). It carries no credentials.
void HttpEndpoint::preflight(const HttpRequest& http, HttpReply& reply) {
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
