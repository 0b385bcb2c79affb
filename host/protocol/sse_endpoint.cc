#include "protocol/sse_endpoint.h"

#include "protocol/http_content.h"

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

 private:
  const EventLogPtr log_;
};

}  // namespace

void SseEndpoint::serve(const HttpRequest& http, HttpReply& reply, std::string principal) {
  if (http.method == "POST" && http.query.starts_with(kSessionQuery))
    return post(http, reply, std::move(principal));
  if (http.method == "GET" && accepts(http, "text/event-stream")) return open(http, reply, std::move(principal));
  refuse(reply, 405,
         "This is the endpoint of 2024-11-05: GET the event stream, then POST to the address it names\n",
         {"Allow", "GET"});
}

void SseEndpoint::open(const HttpRequest& http, HttpReply& reply, std::string principal) {
  SessionPtr session = loop_.server().sessions().create(std::move(principal), loop_.loop().now_ms());
  reply.begin_events(allow_origin(http));
  reply.event(fmt::format("{}?{}{}", path_, kSessionQuery, session->id()), {.type = "endpoint"});
  EventLogPtr log = session->open_side_log();
  loop_.open_reader(reply, std::move(session), std::move(log), 0, EventReader::Style::whole_session);
}

void SseEndpoint::post(const HttpRequest& http, HttpReply& reply, std::string principal) {
  if (!is_media_type(http.header("content-type"), "application/json")) {
    return refuse(reply, 415, "Content-Type must be application/json\n");
  }
  const std::string_view id = http.query.substr(kSessionQuery.size());
  const SessionPtr session = loop_.server().sessions().find(id, principal, loop_.loop().now_ms());
  const EventLogPtr log = session ? session->side_log() : nullptr;
  if (!log) return refuse(reply, 404, "Unknown session: its event stream has ended, open a new one\n");

  RequestPtr request = loop_.new_request();
  request->context.transport = Transport::http;
  request->context.principal = std::move(principal);
  request->context.session = session;
  request->context.version = session->initialized() ? session->client().version : kLegacyVersions.back();
  auto bad = rpc::parse_message(http.body, request->arena, request->message);
  if (!bad) bad = read_legacy(request->message, request->context);
  const bool answered = request->message.kind == rpc::Message::Kind::request;
  if (answered || bad) {
    request->outlet = std::make_shared<LogOutlet>(log);
    request->exchange = rpc::Exchange(request->message.id, *request->outlet);
  }
  if (bad) {
    request->exchange.error(*bad);
  } else if (answered) {
    loop_.handle(std::move(request));
  } else {
    loop_.notice(*request);
  }
  reply.respond(202, allow_origin(http), {});
}

}  // namespace collet::protocol
