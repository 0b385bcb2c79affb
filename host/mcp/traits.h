// What is said of an item: by its plugin, as traits, and to clients, as a tool's annotations.
#pragma once

#include <string_view>

namespace collet::mcp {

// What an item's author says of it. Zero is the safe default.
struct Traits {
  bool idempotent = false;
  bool task_optional = false;
  bool task_required = false;
  bool task_after_input = false;
  bool needs_elicitation = false;
  bool needs_sampling = false;
  bool needs_roots = false;
  bool unchecked = false;  // a tool's arguments are not for us to check

  bool operator==(const Traits&) const = default;
};

// Of execution.taskSupport (2025-11-25, basic/utilities/tasks, Tool-Level Negotiation); empty: it is no task.
constexpr std::string_view task_support(const Traits& traits) {
  return traits.task_required ? "required" : traits.task_optional ? "optional" : "";
}

// What a plugin may ask a client for while it answers a call.
struct InputNames {
  std::string_view method;
  std::string_view capability;  // of a client that can be asked
  bool Traits::*needed;         // an item needs it
};

// 2026-07-28, basic/patterns/mrtr, Supported Requests.
inline constexpr InputNames kInputTable[] = {
    {"elicitation/create", "elicitation", &Traits::needs_elicitation},
    {"sampling/createMessage", "sampling", &Traits::needs_sampling},
    {"roots/list", "roots", &Traits::needs_roots},
};
inline constexpr const InputNames& kElicitation = kInputTable[0];
inline constexpr const InputNames& kRoots = kInputTable[2];

// Null: no client is asked for that.
constexpr const InputNames* input_by(std::string_view method) {
  for (const InputNames& input : kInputTable) {
    if (input.method == method) return &input;
  }
  return nullptr;
}

// What a tool's annotations say of it, one bit each. What is no tool only reads, but for routes that take other methods
// than GET.
enum Hint : unsigned { kReadOnly = 1, kDestructive = 2, kIdempotent = 4, kOpenWorld = 8 };

struct HintNames {
  Hint hint;
  std::string_view annotation;
  bool is_default;         // where the annotation is absent
  std::string_view rule;   // in views
};

// 2026-07-28, schema, ToolAnnotations.
inline constexpr HintNames kHintTable[] = {
    {kReadOnly, "readOnlyHint", false, "@read-only"},
    {kDestructive, "destructiveHint", true, "@destructive"},
    {kIdempotent, "idempotentHint", false, "@idempotent"},
    {kOpenWorld, "openWorldHint", true, "@open-world"},
};

}  // namespace collet::mcp
