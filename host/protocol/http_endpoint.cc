#include "protocol/http_endpoint.h"

#include "protocol/batch.h"
#include "protocol/error.h"
#include "protocol/headers.h"
#include "protocol/http_content.h"

namespace collet::protocol {
namespace {

using transport::Header;
using transport::HttpReply;
using transport::HttpRequest;

constexpr std::string_view kUnknownSession = "Unknown session: it has ended, initialize a new one";

rpc::Error unknown_session() { return {rpc::kInvalidRequest, std::string(kUnknownSession), {}, 404}; }

}  // namespace

void HttpEndpoint::serve(const HttpRequest& http, HttpReply& reply, std::string principal) {
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
  if (rpc::is_batch(http.body)) return post_batch(http, reply, principal);
  RequestPtr request = loop_.new_request();
  request->context.transport = Transport::http;
  request->received = &http;
  request->context.principal = std::move(principal);
  for (const std::string& name : loop_.server().options().kept_headers) {
    if (const auto value = http.header(name); value.data()) request->context.headers.emplace_back(name, value);
  }
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

void HttpEndpoint::post_batch(const HttpRequest& http, HttpReply& reply, const std::string& principal) {
  std::string_view version = http.header("mcp-protocol-version");
  if (!version.data()) version = kVersionWithoutHeader;
  if (const std::string_view id = http.header("mcp-session-id"); id.data()) {
    const SessionPtr session = loop_.server().sessions().find(id, principal, loop_.loop().now_ms());
    if (!session) return refuse(reply, 404, kUnknownSession);
    version = session->client().version;
  }
  const auto batch = std::make_shared<Batch>(reply, http.header("origin"));
  if (version != kBatchVersion) return batch->refuse(rpc::no_batches());
  handle_batch(loop_, http.body, batch, [&](Request& request) {
    request.context.transport = Transport::http;
    request.context.principal = principal;
    return identify_legacy(http, request);
  });
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
  if (!session) return refuse(reply, 404, kUnknownSession);
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
  if (!session) return refuse(reply, 404, kUnknownSession);
  loop_.server().sessions().remove(*session);
  reply.respond(204, {}, {});
}

}  // namespace collet::protocol
