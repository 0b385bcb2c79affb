// What a remote offers, one by one.
#pragma once

#include <collet/plugin.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/mcp/mirrored_headers.h"
#include "client/net/result.h"

namespace collet::client {

// Whether a tool runs as a task (2025-11-25, Tool-Level Negotiation; some modern servers say it, too).
enum class TaskSupport : std::uint8_t { forbidden, optional, required };

// One tool, resource, template or prompt as its remote lists it.
struct RemoteItem {
  std::uint32_t kind = COLLET_TOOL;  // COLLET_TOOL, _RESOURCE, _RESOURCE_TEMPLATE or _PROMPT
  std::string name;                  // the remote's; a resource's URI, a template's text
  std::string definition;            // the rest of its object, byte for byte, but for `execution`
  bool idempotent = false;           // of a tool: it says that it may be called again
  TaskSupport tasks = TaskSupport::forbidden;
  std::vector<MirroredParameter> mirrored;
  std::string mended;  // what of its definition was put right or left out, in words; or empty

  bool operator==(const RemoteItem& other) const {
    return kind == other.kind && name == other.name && definition == other.definition && tasks == other.tasks;
  }
};

// Shared by the remote that lists it, what is published of it, and the calls of it that are under way.
using RemoteItemPtr = std::shared_ptr<const RemoteItem>;

// What a remote lists, by kind.
using RemoteItems = std::map<std::uint32_t, std::vector<RemoteItemPtr>>;

// Reads one element of a list, of a server of that version of MCP; empty: one that has a dialect for schemas. A failure
// says why it cannot be offered.
Result<RemoteItem> read_item(std::uint32_t kind, std::string_view object, std::string_view version = {});
// An element of a list that is read as this item.
std::string list_element(const RemoteItem& item);

// What differs between two JSON texts, a line a place: `/inputSchema/type: "string" → "number"`. At most a
// screenful.
std::string json_diff(std::string_view before, std::string_view after);

}  // namespace collet::client
