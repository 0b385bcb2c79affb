// The four lists, and subscriptions/listen of the modern era.
#pragma once

#include "protocol/request.h"
#include "registry/item.h"

namespace collet::protocol {

class ServerLoop;

void list_items(ServerLoop& loop, RequestPtr request, registry::Kind kind);
template <registry::Kind kind>
void list_items(ServerLoop& loop, RequestPtr request) {
  list_items(loop, std::move(request), kind);
}
void listen(ServerLoop& loop, RequestPtr request);

}  // namespace collet::protocol
