// What clients are told of lists and resources, as whole messages.
#pragma once

#include <string>
#include <string_view>

#include "mcp/kinds.h"
#include "protocol/legacy/event_log.h"

namespace collet::protocol {

std::string list_changed_message(const mcp::ChangingList& list);
std::string resource_updated_message(std::string_view uri);

// To who has known the lists of an earlier process.
void tell_lists_may_have_changed(EventLog& log);

}  // namespace collet::protocol
