// The kinds of items that a server offers, and what MCP calls each of them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace collet::mcp {

// A route is none of MCP's: HTTP alone serves it.
enum class Kind : std::uint8_t { tool, resource, resource_template, prompt, route };
inline constexpr unsigned kKinds = 5;
inline constexpr unsigned kListedKinds = 4;  // the first of them: those that MCP has lists of

// As a member of a set of kinds.
constexpr unsigned bit(Kind kind) { return 1u << static_cast<unsigned>(kind); }
inline constexpr unsigned kListedBits = (1u << kListedKinds) - 1;

struct KindNames {
  Kind kind;
  std::string_view word;         // in rules of views and in listings
  std::string_view words;        // of several, in messages
  std::string_view name_member;  // of the object that describes an item: what it is called by
  std::string_view list_method;
  std::string_view list_member;  // of that method's result
};

// In the order of Kind (2026-07-28, server/tools, server/resources, server/prompts: Protocol Messages, Data Types).
inline constexpr KindNames kKindTable[kKinds] = {
    {Kind::tool, "tool", "tools", "name", "tools/list", "tools"},
    {Kind::resource, "resource", "resources", "uri", "resources/list", "resources"},
    {Kind::resource_template, "template", "resource templates", "uriTemplate", "resources/templates/list",
     "resourceTemplates"},
    {Kind::prompt, "prompt", "prompts", "name", "prompts/list", "prompts"},
    {Kind::route, "route", "routes", "name", {}, {}},
};
inline constexpr std::span kListedKindTable(kKindTable, kListedKinds);

constexpr const KindNames& names_of(Kind kind) { return kKindTable[static_cast<unsigned>(kind)]; }

// Whether what an item is called by is a URI or a URI template; then it has a name for people beside it.
constexpr bool has_uri_name(Kind kind) { return kind == Kind::resource || kind == Kind::resource_template; }

// A list that clients are told of when it has changed. Resources and their templates are one to them.
struct ChangingList {
  Kind kind;
  unsigned kinds;             // whose changes are its own: bits
  std::string_view method;    // of the notification
  std::string_view asked_by;  // the member of subscriptions/listen's notifications
};

// In the order in which they are told (2026-07-28, basic/patterns/subscriptions, Notification Filter).
inline constexpr ChangingList kChangingLists[] = {
    {Kind::tool, bit(Kind::tool), "notifications/tools/list_changed", "toolsListChanged"},
    {Kind::prompt, bit(Kind::prompt), "notifications/prompts/list_changed", "promptsListChanged"},
    {Kind::resource, bit(Kind::resource) | bit(Kind::resource_template), "notifications/resources/list_changed",
     "resourcesListChanged"},
};

}  // namespace collet::mcp
