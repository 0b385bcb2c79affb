#include "protocol/calls/result.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "mcp/content.h"
#include "protocol/legacy/older_content.h"
#include "protocol/server.h"
#include "registry/ending.h"

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

bool has_field(const registry::Ending& ending, std::string_view key) {
  std::vector<json::TextMember> members;
  return json::split_object('{' + ending.fields + '}', members) &&
         std::any_of(members.begin(), members.end(), [&](const auto& member) { return member.key == key; });
}

// resultType, _meta and, for a resource, caching hints; what the plugin has said itself stands.
void add_modern_members(Pieces& pieces, const Server& server, CallKind kind, const registry::Ending& ending) {
  const std::string_view meta = ending.meta.empty() ? std::string_view() : members_of(ending.meta);
  if (meta.empty()) {
    pieces.add(",");
    pieces.add(server.stamp());
  } else {
    pieces.add(R"(,"resultType":"complete","_meta":{)");
    pieces.add(meta);
    pieces.add(",");
    pieces.add(server.server_info_member());
    pieces.add("}");
  }
  if (kind == CallKind::resource && !has_field(ending, "ttlMs")) pieces.add(R"(,"ttlMs":0,"cacheScope":"private")");
}

}  // namespace

void answer(Request& request, const Server& server, CallKind kind, const registry::Ending& ending) {
  const std::string_view structured = older_structured(request.context.version, ending.structured);
  std::string older = older_content(request.context.version, kind, ending.content);
  if (ending.content.empty() && structured.empty() && !ending.structured.empty()) {
    older = mcp::text_block(ending.structured);  // the only form in which the client can have it
  }
  std::string completion;
  Pieces pieces;
  if (kind == CallKind::complete) {
    completion = registry::completion_text(ending);
    pieces.add(R"({"completion":)");
    pieces.add(completion);
  } else {
    pieces.add(R"({")");
    pieces.add(mcp::names_of(kind).array);
    pieces.add(R"(":[)");
    pieces.add(older.empty() ? std::string_view(ending.content) : older);
    pieces.add("]");
    pieces.add_member(R"(,"structuredContent":)", structured);
    if (ending.is_error) pieces.add(R"(,"isError":true)");
    pieces.add_member(",", ending.fields);
  }
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
    answer(request, server, kind, registry::tool_error(message));
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
  pieces.add(R"(","_meta":{)");
  pieces.add(server.server_info_member());
  pieces.add("}}");
  request.exchange.result(pieces.all());
}

}  // namespace collet::protocol
