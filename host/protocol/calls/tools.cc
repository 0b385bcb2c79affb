// tools/call, up to the point where the tool is known.
#include "protocol/calls/result.h"
#include "protocol/http/headers.h"
#include "protocol/server.h"
#include "registry/ending.h"

namespace collet::protocol {

void ServerLoop::call_tool(RequestPtr request) {
  const rpc::Message& message = request->message;
  const auto name = message.param_text("name");
  if (!name) return request->invalid_params("name must be a string");
  const registry::Item* item = find(registry::Kind::tool, *name, request->context);
  if (!item) return request->invalid_params("unknown tool {}", name->substr(0, 128));
  const json::Value* arguments = message.param("arguments");
  if (arguments && !arguments->IsObject()) return request->invalid_params("arguments must be an object");
  if (request->context.era == Era::modern && request->received && !item->compiled->mirrored.empty()) {
    const auto bad =
        check_mirrored_parameters(*request->received, item->compiled->mirrored, arguments, message.arguments);
    if (bad) return request->exchange.error(*bad);
  }
  if (const auto bad = check_capabilities(item->def->traits, request->context))
    return request->exchange.error(*bad);
  if (const auto wrong = registry::check_arguments(*item->compiled, *item->def, item->name, arguments)) {
    return answer(*request, server_, registry::CallKind::tool, registry::tool_error(*wrong));
  }
  Target target{.item = item};
  if (arguments) target.arguments = message.arguments;
  begin_call(std::move(request), target);
}

}  // namespace collet::protocol
