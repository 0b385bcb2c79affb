#include "protocol/methods.h"

#include "mcp/kinds.h"
#include "protocol/calls/call_methods.h"
#include "protocol/calls/resource_methods.h"
#include "protocol/legacy/core_task_methods.h"
#include "protocol/legacy/lifecycle.h"
#include "protocol/lists/list_methods.h"
#include "protocol/tasks/task_methods.h"

namespace collet::protocol {
namespace {

using registry::CallKind;
using registry::Kind;

enum Eras : unsigned { kModern = 1, kLegacy = 2, kBoth = 3 };

struct NamedMethod {
  std::string_view name;
  unsigned eras;
  Method method;
};

constexpr NamedMethod kMethodTable[] = {
    {mcp::names_of(CallKind::tool).method, kBoth, {call_tool}},
    {mcp::names_of(Kind::tool).list_method, kBoth, {list_items<Kind::tool>}},
    {mcp::names_of(CallKind::resource).method, kBoth, {read_resource}},
    {mcp::names_of(Kind::resource).list_method, kBoth, {list_items<Kind::resource>}},
    {mcp::names_of(Kind::resource_template).list_method, kBoth, {list_items<Kind::resource_template>}},
    {mcp::names_of(CallKind::prompt).method, kBoth, {get_prompt}},
    {mcp::names_of(Kind::prompt).list_method, kBoth, {list_items<Kind::prompt>}},
    {mcp::names_of(CallKind::complete).method, kBoth, {complete}},
    {"server/discover", kModern, {discover}},
    {"subscriptions/listen", kModern, {listen, true}},
    {"tasks/get", kModern, {get_task, true}},
    {"tasks/update", kModern, {update_task, true}},
    {"tasks/cancel", kModern, {cancel_task, true}},
    {"tasks/get", kLegacy, {get_core_task, true}},
    {"tasks/result", kLegacy, {await_core_task, true}},
    {"tasks/list", kLegacy, {list_core_tasks, true}},
    {"tasks/cancel", kLegacy, {cancel_core_task, true}},
    {"initialize", kLegacy, {initialize}},
    {"ping", kLegacy, {ping}},
    {"logging/setLevel", kLegacy, {set_level}},
    {"resources/subscribe", kLegacy, {subscribe}},
    {"resources/unsubscribe", kLegacy, {unsubscribe}},
};

}  // namespace

const Method* find_method(std::string_view name, Era era) {
  const unsigned asked = era == Era::modern ? kModern : kLegacy;
  for (const NamedMethod& each : kMethodTable) {
    if (each.name == name && (each.eras & asked)) return &each.method;
  }
  return nullptr;
}

}  // namespace collet::protocol
