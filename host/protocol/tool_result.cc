#include "protocol/tool_result.h"

#include "base/text.h"
#include "protocol/server.h"

namespace collet::protocol {
namespace {

// The members of an object's text: {"a":1} → "a":1.
std::string_view members_of(std::string_view object) {
  object.remove_prefix(object.find('{') + 1);
  return object.substr(0, object.rfind('}'));
}

}  // namespace

registry::Ending tool_error(std::string_view message) {
  registry::Ending ending;
  ending.is_error = true;
  ending.content = R"({"type":"text","text":)";
  text::append_json_string(ending.content, message);
  ending.content += '}';
  return ending;
}

void answer(Request& request, const Server& server, const registry::Ending& ending) {
  std::string_view pieces[rpc::Exchange::kPiecesMax];
  std::size_t count = 0;
  const auto add = [&](std::string_view piece) { pieces[count++] = piece; };
  add(R"({"content":[)");
  add(ending.content);
  add("]");
  if (!ending.structured.empty()) {
    add(R"(,"structuredContent":)");
    add(ending.structured);
  }
  if (ending.is_error) add(R"(,"isError":true)");
  if (!ending.fields.empty()) {
    add(",");
    add(ending.fields);
  }
  const std::string_view meta = ending.meta.empty() ? std::string_view() : members_of(ending.meta);
  if (request.context.era == Era::modern) {
    if (meta.empty()) {
      add(",");
      add(server.stamp());
    } else {
      add(R"(,"resultType":"complete","_meta":{)");
      add(meta);
      add(R"(,"io.modelcontextprotocol/serverInfo":)");
      add(server.identity());
      add("}");
    }
  } else if (!meta.empty()) {
    add(R"(,"_meta":)");
    add(ending.meta);
  }
  add("}");
  request.exchange.result(std::span<const std::string_view>(pieces, count));
}

}  // namespace collet::protocol
