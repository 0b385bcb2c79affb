#include "protocol/http/http_endpoint.h"

#include "protocol/error.h"
#include "protocol/http/access.h"
#include "protocol/http/headers.h"
#include "protocol/http/http_content.h"
#include "protocol/legacy/batch.h"
#include "protocol/legacy/event_reader.h"
#include "protocol/lists/notifications.h"
#include "protocol/server.h"

namespace collet::protocol {
namespace {

using transport::Header;
using transport::HttpReply;
using transport::HttpRequest;

constexpr const char* kVersionDiffers = "MCP-Protocol-Version does not match the body";
constexpr const char* kVersionsDiffer = "the MCP-Protocol-Version headers differ";
constexpr std::string_view kUnknownSession = "Unknown session: it has ended, initialize a new one";

// What is wrong with the version of a request that has no message, in any era.
std::optional<rpc::Error> check_version(const HttpRequest& http) {
  const auto [version, agreed] = http.stated("mcp-protocol-version");
  if (!agreed) return header_mismatch(kVersionsDiffer);
  if (!version.data() || !known_legacy(version).empty() || !known_modern(version).empty()) return std::nullopt;
  return unsupported_version(version);
}

// That of a message which does not say so itself.
std::string_view version_of(const HttpRequest& http) {
  const std::string_view header = http.stated("mcp-protocol-version").value;
  return header.data() ? header : kVersionWithoutHeader;
}

}  // namespace

void HttpEndpoint::serve(const HttpRequest& http, HttpReply& reply, registry::PrincipalPtr principal) {
  if (http.method == "POST") return post(http, reply, std::move(principal));
  const bool is_get = http.method == "GET" && accepted(http).events;
  if (is_get || http.method == "DELETE") {
    if (const auto bad = check_version(http)) {
      return respond(reply, page_of(http), bad->http_status, {{"Content-Type", kJsonType}},
                     rpc::error_message({}, *bad));
    }
    return is_get ? get(http, reply, principal) : remove(http, reply, principal);
  }
  refuse(reply, page_of(http), 405, "This is an MCP endpoint: POST a JSON-RPC message to it\n",
         {"Allow", "POST, GET, DELETE"});
}

Route::Fetch HttpEndpoint::needs(const HttpRequest& http, const registry::PrincipalPtr& principal) {
  if (!loop_.server().session_records()) return {};  // every request comes by
  const auto [id, agreed] = http.stated("mcp-session-id");
  const bool modern = !known_modern(http.stated("mcp-protocol-version").value).empty();  // which has no sessions
  if (!id.data() || !agreed || modern || !loop_.sessions().may_be_elsewhere(id)) return {};
  return [this, id = std::string(id), principal](Route::Fetched done) mutable {
    loop_.sessions().fetch(std::move(id), std::move(principal), std::move(done));
  };
}

void HttpEndpoint::post(const HttpRequest& http, HttpReply& reply, registry::PrincipalPtr principal) {
  if (!has_json_body(http, reply)) return;
  const Accepted takes = accepted(http);
  if (!takes.json && !takes.events) {
    return refuse(reply, page_of(http), 406, "Accept must list application/json and text/event-stream\n");
  }
  if (rpc::is_batch(http.body)) return post_batch(http, reply, takes, principal);
  RequestPtr request = loop_.new_request();
  request->context.transport = Transport::http;
  request->received = &http;
  request->context.principal = std::move(principal);
  request->context.headers = kept_headers(http, loop_.server().options().kept_headers);
  request->http.open(reply, page_of(http), takes);
  auto bad = loop_.read(http.body, *request, http.client);
  if (request->message.kind == rpc::Message::Kind::response) return take_response(http, *request, bad);
  if (!bad) bad = identify(http, *request);
  request->exchange = rpc::Exchange(
      bad ? id_of_refusal(request->message.id, version_of(http)) : request->message.id, request->http);
  if (bad) return loop_.refuse(*request, *bad);

  request->http.set_era(request->context.era);
  if (const SessionPtr& session = request->context.session; session && session->can_resume()) {
    request->http.keep_events(session);
  }
  if (request->message.kind == rpc::Message::Kind::request) return loop_.handle(std::move(request));
  loop_.notice(*request);
  request->exchange.disown();
  request->http.answer_empty(202);
}

// It is never answered, only acknowledged. One that cannot be read ends the wait for it as well.
void HttpEndpoint::take_response(const HttpRequest& http, Request& response, const std::optional<rpc::Error>& bad) {
  const auto stray = identify(http, response);
  if (!stray) loop_.notice(response);
  response.http.answer_empty(stray ? stray->http_status : bad ? bad->http_status : 202);
}

void HttpEndpoint::post_batch(const HttpRequest& http, HttpReply& reply, Accepted takes,
                              const registry::PrincipalPtr& principal) {
  auto [version, agreed] = http.stated("mcp-protocol-version");
  if (!version.data()) version = kVersionWithoutHeader;
  const Named named = session_of(http, principal);
  if (named.session) version = named.session->client().version;
  const auto batch = std::make_shared<Batch>(reply, page_of(http), takes);
  const Identify identify = [&, version = version](Request& request) -> std::optional<rpc::Error> {
    request.context.transport = Transport::http;
    request.context.headers = kept_headers(http, loop_.server().options().kept_headers);
    request.context.principal = principal;
    if (!known_modern(version).empty()) return rpc::no_batches();
    return identify_legacy(http, version, request);
  };
  if (!named.problem.empty()) {
    return refuse_batch(loop_, batch, {mcp::kInvalidRequest, std::string(named.problem), {}, named.status}, version, identify);
  }
  if (!agreed) return refuse_batch(loop_, batch, header_mismatch(kVersionsDiffer), version, identify);
  if (version != kBatchVersion) return refuse_batch(loop_, batch, rpc::no_batches(), version, identify);
  handle_batch(loop_, http.body, batch, counted_to(principal, http.client), identify);
}

std::optional<rpc::Error> HttpEndpoint::identify(const HttpRequest& http, Request& request) {
  const auto [header, agreed] = http.stated("mcp-protocol-version");
  if (!agreed) return header_mismatch(kVersionsDiffer);
  const json::Value* claimed = claimed_version(request.message);
  const bool modern = claimed || (header.data() && known_legacy(header).empty());
  return modern ? identify_modern(http, header, claimed, request) : identify_legacy(http, header, request);
}

std::optional<rpc::Error> HttpEndpoint::identify_modern(const HttpRequest& http, std::string_view header,
                                                        const json::Value* claimed, Request& request) {
  if (!header.data()) return header_mismatch("MCP-Protocol-Version is missing");
  if (!claimed && known_modern(header).empty()) return unsupported_version(header);
  if (request.message.kind != rpc::Message::Kind::request) {
    // Which headers a notification needs is not defined; what it has must be true.
    if (claimed && !(claimed->IsString() && json::view(*claimed) == header))
      return header_mismatch(kVersionDiffers);
    request.context.version = known_modern(header);
    return check_mirrored(http, request.message);
  }
  const auto bad = read_modern(request.message, request.context);
  if (bad && bad->code != mcp::kUnsupportedVersion) return bad;
  if (json::view(*claimed) != header) return header_mismatch(kVersionDiffers);
  if (bad) return bad;
  return check_mirrored(http, request.message);
}

std::optional<rpc::Error> HttpEndpoint::identify_legacy(const HttpRequest& http, std::string_view header,
                                                        Request& request) {
  request.context.era = Era::legacy;
  request.context.version = header.data() ? known_legacy(header) : kVersionWithoutHeader;
  if (request.message.method == "initialize") return read_legacy(request.message, request.context);
  Named named = session_of(http, request.context.principal);
  if (!named.problem.empty()) return rpc::Error{mcp::kInvalidRequest, std::string(named.problem), {}, named.status};
  if (named.session) {
    request.context.session = std::move(named.session);
    request.context.version = request.context.session->client().version;
  }
  return read_legacy(request.message, request.context);
}

HttpEndpoint::Named HttpEndpoint::session_of(const HttpRequest& http, const registry::PrincipalPtr& principal) {
  const auto [id, agreed] = http.stated("mcp-session-id");
  if (!id.data()) return {};
  if (!agreed) return {nullptr, 400, "The Mcp-Session-Id headers differ"};
  SessionPtr session = loop_.sessions().find(id, principal);
  if (!session) return {nullptr, 404, kUnknownSession};
  return {std::move(session)};
}

void HttpEndpoint::get(const HttpRequest& http, HttpReply& reply, const registry::PrincipalPtr& principal) {
  const std::string_view page = page_of(http);
  auto [session, status, problem] = session_of(http, principal);
  if (!problem.empty()) return refuse(reply, page, status, problem);
  if (!session) {
    return refuse(reply, page, 405, "A stream needs a session: send Mcp-Session-Id\n", {"Allow", "POST"});
  }
  EventLogPtr log;
  EventId last;
  if (const auto last_event = http.stated("last-event-id"); last_event.value.data()) {
    if (last_event.agreed) last = EventId::parse(last_event.value).value_or(EventId());
    log = session->find_log(last.log);
    if (!log && !session->is_continued()) {
      return refuse(reply, page, 400, "That event is no longer kept: Last-Event-ID names none of this session\n");
    }
  }
  if (!log) {
    last = {};
    log = session->open_side_log();
    if (session->can_poll()) log->append({});  // so that the client knows where to begin again
    if (session->take_news_of_lists()) tell_lists_may_have_changed(*log);
  }
  begin_events(http, reply);
  open_reader(loop_, reply, std::move(session), std::move(log), last.event, EventReader::Style::resumable);
}

void HttpEndpoint::remove(const HttpRequest& http, HttpReply& reply, const registry::PrincipalPtr& principal) {
  const Named named = session_of(http, principal);
  if (!named.problem.empty()) return refuse(reply, page_of(http), named.status, named.problem);
  if (!named.session) {
    return refuse(reply, page_of(http), 400, "Send the Mcp-Session-Id of the session to end\n");
  }
  loop_.sessions().end(*named.session);
  respond(reply, page_of(http), 204, {});
}

}  // namespace collet::protocol
