// What the ABI and the registry call the same of an item: its kinds, and what its author says of it. Both
// directions read the same tables, so that what a worker hands on is what its plugin has said.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "collet/ext/draft/http.h"
#include "collet/plugin.h"
#include "registry/item.h"

namespace collet::plugin {

inline constexpr std::pair<std::uint32_t, registry::Kind> kAbiKinds[] = {
    {COLLET_TOOL, registry::Kind::tool},
    {COLLET_RESOURCE, registry::Kind::resource},
    {COLLET_RESOURCE_TEMPLATE, registry::Kind::resource_template},
    {COLLET_PROMPT, registry::Kind::prompt},
    {COLLET_ROUTE, registry::Kind::route},
};
static_assert(std::size(kAbiKinds) == registry::kKinds, "each kind of item has its number");

inline constexpr std::pair<std::uint32_t, registry::CallKind> kAbiCallKinds[] = {
    {COLLET_TOOL, registry::CallKind::tool},
    {COLLET_RESOURCE, registry::CallKind::resource},
    {COLLET_PROMPT, registry::CallKind::prompt},
    {COLLET_COMPLETE, registry::CallKind::complete},
    {COLLET_ROUTE, registry::CallKind::route},
};
static_assert(std::size(kAbiCallKinds) == mcp::kCallKinds, "each kind of call has its number");

inline constexpr std::pair<std::uint32_t, bool registry::Traits::*> kAbiTraits[] = {
    {COLLET_ITEM_IDEMPOTENT, &registry::Traits::idempotent},
    {COLLET_ITEM_TASK_OPTIONAL, &registry::Traits::task_optional},
    {COLLET_ITEM_TASK_REQUIRED, &registry::Traits::task_required},
    {COLLET_ITEM_TASK_AFTER_INPUT, &registry::Traits::task_after_input},
    {COLLET_ITEM_NEEDS_ELICITATION, &registry::Traits::needs_elicitation},
    {COLLET_ITEM_NEEDS_SAMPLING, &registry::Traits::needs_sampling},
    {COLLET_ITEM_NEEDS_ROOTS, &registry::Traits::needs_roots},
    {COLLET_ITEM_UNCHECKED, &registry::Traits::unchecked},
};
static_assert(std::size(kAbiTraits) == sizeof(registry::Traits), "each trait has its flag");

// Nothing for what is no item's kind.
constexpr std::optional<registry::Kind> to_kind(std::uint32_t abi) {
  for (const auto& [number, kind] : kAbiKinds) {
    if (number == abi) return kind;
  }
  return std::nullopt;
}

constexpr std::uint32_t to_abi(registry::Kind wanted) {
  for (const auto& [number, kind] : kAbiKinds) {
    if (kind == wanted) return number;
  }
  return 0;
}

// Sets of kinds, as 1 << COLLET_TOOL and so on here, and as mcp::bit() in the house.
constexpr unsigned to_kinds(std::uint32_t abi) {
  unsigned kinds = 0;
  for (const auto& [number, kind] : kAbiKinds) kinds |= abi & (1u << number) ? mcp::bit(kind) : 0;
  return kinds;
}
constexpr std::uint32_t to_abi_kinds(unsigned kinds) {
  std::uint32_t abi = 0;
  for (const auto& [number, kind] : kAbiKinds) abi |= kinds & mcp::bit(kind) ? 1u << number : 0;
  return abi;
}

// Nothing for what is no call's kind.
constexpr std::optional<registry::CallKind> to_call_kind(std::uint32_t abi) {
  for (const auto& [number, kind] : kAbiCallKinds) {
    if (number == abi) return kind;
  }
  return std::nullopt;
}

constexpr std::uint32_t to_abi(registry::CallKind wanted) {
  for (const auto& [number, kind] : kAbiCallKinds) {
    if (kind == wanted) return number;
  }
  return 0;
}

constexpr registry::Traits to_traits(std::uint32_t flags) {
  registry::Traits traits;
  for (const auto& [flag, trait] : kAbiTraits) traits.*trait = (flags & flag) != 0;
  return traits;
}

constexpr std::uint32_t to_flags(const registry::Traits& traits) {
  std::uint32_t flags = 0;
  for (const auto& [flag, trait] : kAbiTraits) flags |= traits.*trait ? flag : 0;
  return flags;
}

}  // namespace collet::plugin
