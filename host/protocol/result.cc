#include "protocol/result.h"

#include "base/text.h"
#include "protocol/older_content.h"
#include "protocol/server.h"

namespace collet::protocol {
namespace {

using registry::CallKind;

// The members of an object's text: {"a":1} → "a":1.
std::string_view members_of(std::string_view object) {
  object.remove_prefix(object.find('{') + 1);
  return object.substr(0, object.rfind('}'));
}

// A result in pieces, at most as many as an Exchange takes.
class Pieces {
 public:
  void add(std::string_view piece) {
    COLLET_ASSERT(count_ < rpc::Exchange::kPiecesMax);
    pieces_[count_++] = piece;
  }
  void add_member(std::string_view key_and_colon, std::string_view value) {
    if (value.empty()) return;
    add(key_and_colon);
    add(value);
  }
  std::span<const std::string_view> all() const { return {pieces_, count_}; }

 private:
  std::string_view pieces_[rpc::Exchange::kPiecesMax];
  std::size_t count_ = 0;
};

constexpr std::string_view opening(CallKind kind) {
  switch (kind) {
    case CallKind::tool:
      return R"({"content":[)";
    case CallKind::resource:
      return R"({"contents":[)";
    case CallKind::prompt:
      return R"({"messages":[)";
    case CallKind::complete:
      return R"({"completion":{"values":[)";
  }
  return {};
}

// resultType, _meta and, for a resource, caching hints; what the plugin has said itself stands.
void add_modern_members(Pieces& pieces, const Server& server, CallKind kind, const registry::Ending& ending) {
  const std::string_view meta = ending.meta.empty() ? std::string_view() : members_of(ending.meta);
  const bool hints = kind == CallKind::resource && ending.fields.find("\"ttlMs\":") == std::string::npos;
  if (meta.empty()) {
    pieces.add(",");
    pieces.add(server.stamp());
  } else {
    pieces.add(R"(,"resultType":"complete","_meta":{)");
    pieces.add(meta);
    pieces.add(R"(,"io.modelcontextprotocol/serverInfo":)");
    pieces.add(server.identity());
    pieces.add("}");
  }
  if (hints) pieces.add(R"(,"ttlMs":0,"cacheScope":"private")");
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

void answer(Request& request, const Server& server, CallKind kind, const registry::Ending& ending) {
  const std::string older = older_content(request.context.version, kind, ending.content);
  Pieces pieces;
  pieces.add(opening(kind));
  pieces.add(older.empty() ? std::string_view(ending.content) : older);
  pieces.add("]");
  if (kind == CallKind::complete) {  // total and hasMore belong to the completion
    pieces.add_member(",", ending.fields);
    pieces.add("}");
  }
  pieces.add_member(R"(,"structuredContent":)", ending.structured);
  if (ending.is_error) pieces.add(R"(,"isError":true)");
  if (kind != CallKind::complete) pieces.add_member(",", ending.fields);
  if (request.context.era == Era::modern) {
    add_modern_members(pieces, server, kind, ending);
  } else {
    pieces.add_member(R"(,"_meta":)", ending.meta);
  }
  pieces.add("}");
  request.exchange.result(pieces.all());
}

void answer_failure(Request& request, const Server& server, CallKind kind, std::string message) {
  if (kind == CallKind::tool) {
    answer(request, server, kind, tool_error(message));
  } else {
    request.exchange.error(rpc::internal_error(std::move(message)));
  }
}

void answer_input_required(Request& request, const Server& server, std::string_view input_requests,
                           std::string_view sealed_state) {
  Pieces pieces;
  pieces.add(R"({"resultType":"input_required")");
  pieces.add_member(R"(,"inputRequests":)", input_requests);
  pieces.add(R"(,"requestState":")");
  pieces.add(sealed_state);
  pieces.add(R"(","_meta":{"io.modelcontextprotocol/serverInfo":)");
  pieces.add(server.identity());
  pieces.add("}}");
  request.exchange.result(pieces.all());
}

}  // namespace collet::protocol
