// tools/list and tools/call, up to the point where the tool is known.
#include "protocol/error.h"
#include "protocol/server.h"
#include "protocol/tool_result.h"

namespace collet::protocol {
namespace {

// The client capability that the item needs and the client has not declared; empty: none. A legacy client declares
// its own once, in initialize: it is asked when the need arises.
std::string_view lacking_capability(const registry::Traits& traits, const Context& context) {
  if (context.era == Era::legacy) return {};
  const auto lacks = [&](bool needed, std::string_view name) {
    return needed && !json::find(*context.capabilities, name);
  };
  if (lacks(traits.needs_elicitation, "elicitation")) return "elicitation";
  if (lacks(traits.needs_sampling, "sampling")) return "sampling";
  if (lacks(traits.needs_roots, "roots")) return "roots";
  return {};
}

}  // namespace

void ServerLoop::list_tools(RequestPtr request) {
  std::optional<std::string_view> cursor;
  const json::Value* value = request->message.params ? json::find(*request->message.params, "cursor") : nullptr;
  if (value) {
    if (!value->IsString()) return request->exchange.error(rpc::invalid_params("cursor must be a string"));
    cursor = json::view(*value);
  }
  const auto page = tools_->page(cursor);
  if (!page) return request->exchange.error(rpc::invalid_params("unknown cursor"));

  const bool more = !page->next_cursor.empty();
  const bool modern = request->context.era == Era::modern;
  request->exchange.result({R"({"tools":[)", page->items, "]", more ? R"(,"nextCursor":")" : "", page->next_cursor,
                            more ? "\"" : "", modern ? "," : "",
                            modern ? std::string_view(server_.cacheable_stamp()) : "", "}"});
}

void ServerLoop::call_tool(RequestPtr request) {
  const rpc::Message& message = request->message;
  const auto name = message.params ? json::find_string(*message.params, "name") : std::nullopt;
  if (!name) return request->exchange.error(rpc::invalid_params("name must be a string"));
  const registry::Item* item = snapshot_->find(registry::Kind::tool, *name);
  if (!item) {
    return request->exchange.error(rpc::invalid_params(fmt::format("unknown tool {}", name->substr(0, 128))));
  }
  const json::Value* arguments = json::find(*message.params, "arguments");
  if (arguments && !arguments->IsObject()) {
    return request->exchange.error(rpc::invalid_params("arguments must be an object"));
  }
  if (const auto capability = lacking_capability(item->def->traits, request->context); !capability.empty()) {
    return request->exchange.error(missing_capability(capability));
  }
  if (const auto wrong = registry::check_arguments(*item->schemas, item->name, arguments)) {
    return answer(*request, server_, tool_error(*wrong));
  }
  std::unique_ptr<ToolCall> call = new_call();
  ToolCall& running = *call;
  running.start(std::move(request), *item, std::move(call));
}

}  // namespace collet::protocol
