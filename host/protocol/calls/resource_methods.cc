#include "protocol/calls/resource_methods.h"

#include "base/text.h"
#include "protocol/calls/input.h"
#include "protocol/calls/item_call.h"
#include "protocol/server.h"
#include "protocol/server_loop.h"

namespace collet::protocol {
namespace {

std::optional<std::string_view> uri_of(const Request& request) {
  return request.message.param_text("uri");
}

rpc::Error unknown_resource(Era era, std::string_view uri) {
  std::string data = R"({"uri":)";
  text::append_json_string(data, uri);
  return {era == Era::modern ? mcp::kInvalidParams : mcp::kResourceNotFound, "Resource not found", data + "}"};
}

}  // namespace

void read_resource(ServerLoop& loop, RequestPtr request) {
  const auto uri = uri_of(*request);
  if (!uri) return request->invalid_params("uri must be a string");
  const auto found = loop.catalog().find(registry::CallKind::resource, *uri, request->context.principal);
  if (!found.item) return request->exchange.error(unknown_resource(request->context.era, *uri));
  if (const auto bad = check_capabilities(found.item->def->traits, request->context)) {
    return request->exchange.error(*bad);
  }
  Target target{.item = found.item, .kind = registry::CallKind::resource, .uri = found.uri(*uri)};
  if (found.item->def->kind == registry::Kind::resource_template)
    target.variables = registry::variables_text(found.variables);
  begin_call(loop, std::move(request), target);
}

void subscribe(ServerLoop& loop, RequestPtr request) {
  const auto uri = uri_of(*request);
  if (!uri) return request->invalid_params("uri must be a string");
  const auto found = loop.catalog().find(registry::CallKind::resource, *uri, request->context.principal);
  if (!found.item) {
    return request->exchange.error(unknown_resource(request->context.era, *uri));
  }
  if (!request->context.session)
    return request->exchange.error(rpc::invalid_request("a subscription needs a session"));
  if (!request->context.session->subscribe(*uri, loop.server().watch(found.uri(*uri)))) {
    return request->invalid_params("over {} subscriptions", limits::kSubscriptionUrisMax);
  }
  loop.sessions().keep(request->context.session);
  request->exchange.result({"{}"});
}

void unsubscribe(ServerLoop& loop, RequestPtr request) {
  const auto uri = uri_of(*request);
  if (!uri) return request->invalid_params("uri must be a string");
  if (const SessionPtr& session = request->context.session) {
    session->unsubscribe(*uri);
    loop.sessions().keep(session);
  }
  request->exchange.result({"{}"});
}

}  // namespace collet::protocol
