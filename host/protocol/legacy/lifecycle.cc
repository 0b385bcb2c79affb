#include "protocol/legacy/lifecycle.h"

#include "base/text.h"
#include "protocol/lists/known_lists.h"
#include "protocol/server.h"
#include "protocol/server_loop.h"
#include "protocol/severity.h"

namespace collet::protocol {
namespace {

// Of both eras; the brace is closed below.
constexpr std::string_view kCapabilities =
    R"({"tools":{"listChanged":true},"prompts":{"listChanged":true},)"
    R"("resources":{"subscribe":true,"listChanged":true},"completions":{},"logging":{})";

constexpr std::string_view kCoreTasks = R"(,"tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}})";

// Of clientInfo, all of it if it is small: it may hold icons.
std::string kept_info(const json::Value& info) {
  constexpr std::size_t kBytesMax = limits::kClientBytesMax / 2;
  constexpr std::size_t kNameBytesMax = kBytesMax / 8;
  std::string whole = json::to_text(info);
  if (whole.size() <= kBytesMax) return whole;
  std::string kept = "{";
  for (const std::string_view key : {"name", "title", "version"}) {
    const auto value = json::find_string(info, key);
    if (!value || value->size() > kNameBytesMax) continue;
    if (kept.size() > 1) kept += ',';
    text::append_json_string(kept, key);
    kept += ':';
    text::append_json_string(kept, *value);
  }
  return kept + '}';
}

std::string instructions_for(ServerLoop& loop, const Context& context) {
  return loop.server().instructions_member(loop.catalog().viewed(context.principal));
}

void answer_initialize(ServerLoop& loop, Request& request, std::string_view version) {
  request.exchange.result({R"({"protocolVersion":")", version, R"(","capabilities":)", kCapabilities,
                            version == kCoreTasksVersion ? kCoreTasks : "", "},", instructions_for(loop, request.context),
                            R"("serverInfo":)", loop.server().identity(), "}"});
}

}  // namespace

void discover(ServerLoop& loop, RequestPtr request) {
  request->exchange.result({R"({"supportedVersions":)", supported_versions(), R"(,"capabilities":)", kCapabilities,
                            R"(,"extensions":{"io.modelcontextprotocol/tasks":{}}},)",
                            instructions_for(loop, request->context), loop.server().cacheable_stamp(), "}"});
}

void initialize(ServerLoop& loop, RequestPtr request) {
  const auto asked = request->message.param_text("protocolVersion");
  if (!asked) return request->invalid_params("protocolVersion must be a string");

  Session::Client client;
  client.version = known_legacy(*asked);
  if (client.version.empty()) client.version = kLegacyVersions.front();
  if (const json::Value* abilities = request->message.param("capabilities"))
    client.capabilities = json::to_text(*abilities);
  if (client.capabilities.size() > limits::kClientBytesMax / 2) {
    return request->invalid_params("capabilities is larger than {} bytes", limits::kClientBytesMax / 2);
  }
  if (const json::Value* info = request->message.param("clientInfo")) client.info = kept_info(*info);
  const std::string_view version = client.version;  // which lives for ever
  SessionPtr session = request->context.session;
  const bool is_new = !session;  // else that of a stream, which ends with it
  if (is_new) {
    session = loop.server().sessions().create(request->context.principal, loop.loop().now_ms());
    request->http.set_session(session->id());
  }
  note_lists(loop.catalog(), *session);
  if (!session->initialize(std::move(client))) {
    return request->exchange.error(rpc::invalid_request("this stream is initialized already"));
  }
  if (!is_new || !loop.server().session_records()) return answer_initialize(loop, *request, version);
  // A session that its client has heard of is there after a restart.
  const auto serial = loop.waiting().add(std::move(request));
  if (!serial) return;
  loop.sessions().begin_to_keep(session, [&loop, serial = *serial, version] {
    loop.loop().post([&loop, serial, version] {
      if (const RequestPtr waited = loop.waiting().take(serial)) answer_initialize(loop, *waited, version);
    });
  });
}

void ping(ServerLoop&, RequestPtr request) { request->exchange.result({"{}"}); }

void set_level(ServerLoop& loop, RequestPtr request) {
  const auto name = request->message.param_text("level");
  const auto severity = name ? severity_from(*name) : std::nullopt;
  if (!severity) return request->invalid_params("level must be one of the levels of RFC 5424");
  if (const SessionPtr& session = request->context.session) {
    session->set_log_severity(*severity);
    loop.sessions().keep(session);
  }
  request->exchange.result({"{}"});
}

}  // namespace collet::protocol
