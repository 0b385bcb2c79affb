#include "protocol/lists/notifications.h"

#include <fmt/core.h>

#include "base/text.h"

namespace collet::protocol {

std::string list_changed_message(const mcp::ChangingList& list) {
  return fmt::format(R"({{"jsonrpc":"2.0","method":"{}"}})", list.method);
}

std::string resource_updated_message(std::string_view uri) {
  std::string message = R"({"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":)";
  text::append_json_string(message, uri);
  return message += "}}";
}

void tell_lists_may_have_changed(EventLog& log) {
  for (const mcp::ChangingList& list : mcp::kChangingLists) log.append(list_changed_message(list));
}

}  // namespace collet::protocol
