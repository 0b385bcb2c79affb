#include "protocol/legacy/sse_endpoint.h"

#include "protocol/error.h"
#include "protocol/http/http_content.h"
#include "protocol/legacy/event_reader.h"
#include "protocol/server.h"

namespace collet::protocol {
namespace {

using transport::HttpReply;
using transport::HttpRequest;

constexpr std::string_view kSessionQuery = "session=";

// Everything goes to the session's one stream.
class LogOutlet final : public rpc::Outlet {
 public:
  explicit LogOutlet(EventLogPtr log) : log_(std::move(log)) {}
  void interim(std::span<const std::string_view> pieces) override {
    std::string message;
    for (const std::string_view piece : pieces) message += piece;
    log_->append(message);
  }
  void answer(int, std::span<const std::string_view> pieces) override { interim(pieces); }
  bool client_is_behind() const override { return log_->reader_is_behind(limits::kStreamAheadBytes); }

 private:
  const EventLogPtr log_;
};

}  // namespace

void SseEndpoint::serve(const HttpRequest& http, HttpReply& reply, registry::PrincipalPtr principal) {
  if (http.method == "POST" && http.query.starts_with(kSessionQuery))
    return post(http, reply, std::move(principal));
  if (http.method == "GET" && accepted(http).events) return open(http, reply, std::move(principal));
  refuse(reply, page_of(http), 405,
         "This is the endpoint of 2024-11-05: GET the event stream, then POST to the address it names\n",
         {"Allow", "GET"});
}

void SseEndpoint::open(const HttpRequest& http, HttpReply& reply, registry::PrincipalPtr principal) {
  SessionPtr session = loop_.server().sessions().create(std::move(principal), loop_.loop().now_ms());
  EventLogPtr log = session->open_side_log();  // before the client knows the address, which it may use at once
  begin_events(http, reply);
  // Relative to where the client has found us: a proxy may have taken a prefix off the path that it asked for.
  const std::string_view here = http.path.substr(http.path.rfind('/') + 1);
  reply.event(fmt::format("{}?{}{}", here, kSessionQuery, session->id()), {.type = "endpoint"});
  open_reader(loop_, reply, std::move(session), std::move(log), 0, EventReader::Style::whole_session);
}

void SseEndpoint::post(const HttpRequest& http, HttpReply& reply, registry::PrincipalPtr principal) {
  if (!has_json_body(http, reply)) return;
  const std::string_view id = http.query.substr(kSessionQuery.size());
  const SessionPtr session = loop_.server().sessions().find(id, principal, loop_.loop().now_ms());
  const EventLogPtr log = session ? session->side_log() : nullptr;
  if (!log) {
    return refuse(reply, page_of(http), 404, "Unknown session: its event stream has ended, open a new one\n");
  }

  RequestPtr request = loop_.new_request();
  request->context.transport = Transport::http;
  request->context.principal = std::move(principal);
  request->context.headers = kept_headers(http, loop_.server().options().kept_headers);
  request->context.era = Era::legacy;
  request->context.session = session;
  request->context.version = session->initialized() ? session->client().version : kLegacyVersions.back();
  auto bad = loop_.read(http.body, *request, http.client);
  if (!bad) bad = read_legacy(request->message, request->context);
  if (request->message.kind == rpc::Message::Kind::request) {
    const rpc::Id& asked = request->message.id;
    request->outlet = std::make_shared<LogOutlet>(log);
    request->exchange =
        rpc::Exchange(bad ? id_of_refusal(asked, request->context.version) : asked, *request->outlet);
    if (bad) {
      loop_.refuse(*request, *bad);
    } else {
      loop_.handle(std::move(request));
    }
  } else if (!bad || request->message.kind == rpc::Message::Kind::response) {
    loop_.notice(*request);  // a response that cannot be read ends the wait for it as well
  }
  respond(reply, page_of(http), 202, {});
}

}  // namespace collet::protocol
