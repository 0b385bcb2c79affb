#include "client/http_message.h"

#include <algorithm>

#include "client/headers.h"
#include "client/message.h"

namespace collet::client {

void each_header(const Sender& sender, const Outgoing& message, bool post,
                 const std::function<void(std::string_view name, std::string_view value)>& add) {
  for (const HttpHeader& header : sender.headers) {
    const bool overridden =
        std::any_of(message.headers.begin(), message.headers.end(),
                    [&](const HttpHeader& other) { return equals_ignoring_case(header.name, other.name); });
    if (!overridden) add(header.name, header.value);
  }
  for (const HttpHeader& header : message.headers) add(header.name, header.value);
  if (post) add("Content-Type", "application/json");
  add("Accept", post ? "application/json, text/event-stream" : "text/event-stream");
  if (!sender.version.empty()) add("MCP-Protocol-Version", sender.version);
  if (!sender.session.empty()) add("Mcp-Session-Id", sender.session);
  if (sender.era == Era::modern && post) {
    add("Mcp-Method", message.method);
    if (!message.name.empty()) add("Mcp-Name", encode_header_value(message.name));
  }
}

bool has_type(const HttpHead& head, std::string_view type) {
  const std::string_view value = head.header("content-type");
  return equals_ignoring_case(value.substr(0, type.size()), type);
}

bool is_rpc_message(std::string_view body) {
  bool any = false;
  return for_each_message(body, [&](const Message&, std::string_view) { any = true; }).ok() && any;
}

std::string what_is_wrong(std::string_view body) {
  const auto read = for_each_message(body, [](const Message&, std::string_view) {});
  return read ? "its answer is none to this request" : "its answer is no message: " + read.message();
}

std::string describe(int status, std::string_view body) {
  constexpr std::size_t kShown = 200;
  std::string text = "HTTP status " + std::to_string(status);
  std::string_view shown = body.substr(0, body.find('\n')).substr(0, kShown);
  if (!shown.empty()) text += ": " + std::string(shown);
  return text;
}

}  // namespace collet::client
