// The kinds of calls that are made of items, and what MCP calls each of them and what is in its result.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "mcp/names.h"

namespace collet::mcp {

// A route's is none of MCP's.
enum class CallKind : std::uint8_t { tool, resource, prompt, complete, route };
inline constexpr unsigned kCallKinds = 5;

struct CallNames {
  CallKind kind;
  std::string_view noun;  // in messages
  std::string_view method;
  std::string_view name_param;     // of the method: what is called
  std::string_view result_member;  // what the result is there for
  std::string_view array;          // that the pieces of the result are elements of
};

// In the order of CallKind (2026-07-28, server/tools, server/resources, server/prompts, server/utilities/completion).
inline constexpr CallNames kCallTable[kCallKinds] = {
    {CallKind::tool, "tool", "tools/call", "name", "content", "content"},
    {CallKind::resource, "resource", "resources/read", "uri", "contents", "contents"},
    {CallKind::prompt, "prompt", "prompts/get", "name", "messages", "messages"},
    {CallKind::complete, "completion", "completion/complete", {}, "completion", "values"},
    {CallKind::route, "route", {}, {}, {}, {}},
};

constexpr const CallNames& names_of(CallKind kind) { return kCallTable[static_cast<unsigned>(kind)]; }

// Whether a result has that member by MCP itself, so that it is no plugin's to set.
constexpr bool is_result_member(std::string_view key) {
  constexpr std::string_view kOfAnyKind[] = {kStructuredContent, kIsError,      kMeta, kResultType,
                                             kInputRequests,     kRequestState, kTask};
  return std::ranges::find(kOfAnyKind, key) != std::end(kOfAnyKind) ||
         (!key.empty() && std::ranges::find(kCallTable, key, &CallNames::result_member) != std::end(kCallTable));
}

}  // namespace collet::mcp
