#include "protocol/calls/call_methods.h"

#include "protocol/calls/input.h"
#include "protocol/calls/item_call.h"
#include "protocol/calls/result.h"
#include "protocol/http/headers.h"
#include "protocol/server_loop.h"
#include "registry/ending.h"

namespace collet::protocol {

void call_tool(ServerLoop& loop, RequestPtr request) {
  const rpc::Message& message = request->message;
  const auto name = message.param_text("name");
  if (!name) return request->invalid_params("name must be a string");
  const registry::Item* item = loop.catalog().find(registry::Kind::tool, *name, request->context.principal);
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
    return answer(*request, loop.server(), registry::CallKind::tool, registry::tool_error(*wrong));
  }
  Target target{.item = item};
  if (arguments) target.arguments = message.arguments;
  begin_call(loop, std::move(request), target);
}

void get_prompt(ServerLoop& loop, RequestPtr request) {
  const rpc::Message& message = request->message;
  const auto name = message.param_text("name");
  if (!name) return request->invalid_params("name must be a string");
  const registry::Item* item = loop.catalog().find(registry::Kind::prompt, *name, request->context.principal);
  if (!item) return request->invalid_params("unknown prompt {}", name->substr(0, 128));
  const json::Value* arguments = message.param("arguments");
  if (const auto wrong = registry::check_prompt_arguments(*item->def, arguments)) {
    return request->invalid_params(*wrong);
  }
  if (const auto bad = check_capabilities(item->def->traits, request->context))
    return request->exchange.error(*bad);
  Target target{.item = item, .kind = registry::CallKind::prompt};
  if (arguments) target.arguments = message.arguments;
  begin_call(loop, std::move(request), target);
}

void complete(ServerLoop& loop, RequestPtr request) {
  const json::Value* ref = request->message.param("ref");
  const json::Value* argument = request->message.param("argument");
  const auto type = ref ? json::find_string(*ref, "type") : std::nullopt;
  if (!type || !argument || !json::find_string(*argument, "name") || !json::find_string(*argument, "value")) {
    return request->invalid_params("needed are ref.type, argument.name and argument.value");
  }
  const registry::Item* item = nullptr;
  if (const auto name = json::find_string(*ref, "name"); type == "ref/prompt" && name) {
    item = loop.catalog().find(registry::Kind::prompt, *name, request->context.principal);
  } else if (const auto uri = json::find_string(*ref, "uri"); type == "ref/resource" && uri) {
    item = loop.catalog().find(registry::Kind::resource_template, *uri, request->context.principal);
    if (!item) item = loop.catalog().find(registry::Kind::resource, *uri, request->context.principal);
  }
  if (!item) return request->invalid_params("ref names nothing that is offered here");
  if (item->def->kind == registry::Kind::resource) {  // which has nothing to complete
    return answer(*request, loop.server(), registry::CallKind::complete, registry::Ending());
  }

  std::string arguments = R"({"argument":)" + json::to_text(*argument);
  if (const json::Value* context = request->message.param("context"))
    arguments += R"(,"context":)" + json::to_text(*context);
  arguments += '}';
  begin_call(loop, std::move(request), {.item = item, .kind = registry::CallKind::complete, .arguments = arguments});
}

}  // namespace collet::protocol
