// The four lists.
#include "protocol/server.h"

namespace collet::protocol {

void ServerLoop::list(RequestPtr request, registry::Kind kind) {
  std::optional<std::string_view> cursor;
  const json::Value* value = request->message.param("cursor");
  if (value) {
    if (!value->IsString()) return request->invalid_params("cursor must be a string");
    cursor = json::view(*value);
  }
  const auto page = listing(kind, request->context.principal).page(cursor, request->context.era);
  if (!page) return request->invalid_params("unknown cursor");

  const bool more = !page->next_cursor.empty();
  const bool modern = request->context.era == Era::modern;
  request->exchange.result({R"({")", mcp::names_of(kind).list_member, R"(":[)", page->items, "]",
                            more ? R"(,"nextCursor":")" : "", page->next_cursor, more ? "\"" : "", modern ? "," : "",
                            modern ? std::string_view(server_.cacheable_stamp()) : "", "}"});
}

}  // namespace collet::protocol
