#include "plugin/abi/peers_table.h"

#include <algorithm>

#include "base/text.h"
#include "plugin/abi/abi_items.h"
#include "plugin/abi/entered.h"
#include "plugin/abi/structs.h"
#include "plugin/run/peers.h"

namespace collet::plugin {
namespace {

using How = registry::Ending::How;

static_assert(COLLET_OUTCOME_COMPLETED == static_cast<unsigned>(How::completed) &&
              COLLET_OUTCOME_FAILED == static_cast<unsigned>(How::failed) &&
              COLLET_OUTCOME_SUSPENDED == static_cast<unsigned>(How::suspended));

template <class Body>
std::int32_t with_peers(const collet_host* host, Body&& body) {
  return entered(host, [&](HostSide& side) { return side.peers ? body(*side.peers) : COLLET_E_UNSUPPORTED; });
}

std::optional<std::string> text_or_nothing(const collet_str& text) {
  const auto given = optional_view(text);
  return given ? std::optional(std::string(*given)) : std::nullopt;
}

// Whether it is said once for whom this is.
bool is_for_one(collet_call inside_of, std::uint32_t flags) {
  return (flags & ~COLLET_INVOKE_AS_PLUGIN) == 0 && (inside_of != 0) != ((flags & COLLET_INVOKE_AS_PLUGIN) != 0);
}

void tell(void (*ended)(void*, const collet_outcome*), void* context, const Outcome& outcome) {
  std::vector<collet_question> questions;
  for (const registry::InputRequest& asked : outcome.questions) questions.push_back({to_str(asked.key), to_str(asked.request)});
  collet_outcome out{};
  out.struct_size = sizeof out;
  out.how = static_cast<std::uint32_t>(outcome.how);
  out.is_error = outcome.is_error ? 1 : 0;
  out.rpc_code = outcome.rpc_code;
  out.invocation = outcome.id;
  out.inside_of = outcome.inside_of;
  out.kind = to_abi(outcome.kind);
  if (outcome.how == How::completed) out.result = to_str(outcome.result);
  if (outcome.how == How::failed) out.message = to_str(outcome.message);
  if (!outcome.data.empty()) out.data = to_str(outcome.data);
  if (outcome.how == How::suspended) out.state = to_str(outcome.state);
  out.questions = questions.data();
  out.question_count = questions.size();
  ended(context, &out);
}

std::int32_t invoke(const collet_host* host, const collet_invoke_params* given, collet_invocation* out) {
  return with_peers(host, [&](Peers& peers) -> std::int32_t {
    if (!given || given->struct_size < sizeof(std::uint32_t)) return COLLET_E_INVALID;
    const collet_invoke_params params = copy_struct(*given);
    const auto kind = to_call_kind(params.kind);
    const collet_str texts[] = {params.name, params.arguments, params.state, params.input_responses};
    if (!kind || *kind == CallKind::complete || *kind == CallKind::route || !params.ended || !is_for_one(params.inside_of, params.flags) ||
        params.reserved || params.reserved_pointer ||
        !std::all_of(std::begin(texts), std::end(texts), [](const auto& text) { return is_sound(text); })) {
      return COLLET_E_INVALID;
    }
    std::size_t bytes = 0;
    for (const collet_str& text : texts) {
      if (text.size > limits::kMessageBytesMax || (bytes += text.size) > limits::kMessageBytesMax) return COLLET_E_LIMIT;
    }
    if (params.name.size > limits::kUriBytesMax) return COLLET_E_LIMIT;
    if (params.name.size == 0 || !text::is_utf8(view(params.name))) return COLLET_E_INVALID;
    registry::Order order{.kind = *kind,
                          .name = std::string(view(params.name)),
                          .arguments = text_or_nothing(params.arguments),
                          .timeout_ms = std::min<std::uint64_t>(params.timeout_ms, limits::kTimeoutMsMax),
                          .state = std::string(view(params.state)),
                          .answers = text_or_nothing(params.input_responses)};
    const auto ended = [ended = params.ended, context = params.context](const Outcome& outcome) {
      tell(ended, context, outcome);
    };
    Peers::Progressed progressed;
    if (params.progress) {
      progressed = [progress = params.progress, context = params.context](const registry::Progress& told) {
        progress(context, told.done, told.total, told.message.data(), told.message.size());
      };
    }
    collet_invocation nobody;
    return peers.invoke(params.inside_of, std::move(order), ended, std::move(progressed), out ? *out : nobody);
  });
}

std::int32_t cancel(const collet_host* host, collet_invocation invocation) {
  return with_peers(host, [&](Peers& peers) { return peers.cancel(invocation); });
}

// Copies what is to be listed by name; says what is wrong with that.
std::int32_t read_names(const collet_list_params& params, ListOrder& order) {
  if (!params.names) return params.name_count ? COLLET_E_INVALID : COLLET_OK;
  if (params.name_count > limits::kListedNamesMax) return COLLET_E_LIMIT;
  order.names.emplace();
  for (std::size_t i = 0; i < params.name_count; ++i) {
    const collet_str& name = params.names[i];
    if (!is_sound(name)) return COLLET_E_INVALID;
    if (name.size > limits::kUriBytesMax) return COLLET_E_LIMIT;
    order.names->emplace_back(view(name));
  }
  return COLLET_OK;
}

std::int32_t list(const collet_host* host, const collet_list_params* given) {
  return with_peers(host, [&](Peers& peers) -> std::int32_t {
    if (!given || given->struct_size < sizeof(std::uint32_t)) return COLLET_E_INVALID;
    const collet_list_params params = copy_struct(*given);
    const auto kind = to_kind(params.kind);
    if (!kind || *kind == registry::Kind::route || !params.listed || !is_sound(params.after) || !is_for_one(params.inside_of, params.flags)) {
      return COLLET_E_INVALID;
    }
    if (params.after.size > limits::kUriBytesMax) return COLLET_E_LIMIT;
    ListOrder order{.kind = *kind, .after = text_or_nothing(params.after), .items_max = params.max};
    if (const std::int32_t bad = read_names(params, order); bad < 0) return bad;
    return peers.list(params.inside_of, std::move(order),
                      [listed = params.listed, context = params.context](std::int32_t status, std::string_view json) {
                        listed(context, status, status < 0 ? nullptr : json.data(), status < 0 ? 0 : json.size());
                      });
  });
}

std::int32_t watch(const collet_host* host, const collet_watch_params* given) {
  return with_peers(host, [&](Peers& peers) -> std::int32_t {
    if (!given) return peers.watch(0, {});
    if (given->struct_size < sizeof(std::uint32_t)) return COLLET_E_INVALID;
    const collet_watch_params params = copy_struct(*given);
    const unsigned kinds = params.kinds ? to_kinds(params.kinds) : mcp::kListedBits;
    if (!params.changed || kinds == 0) return COLLET_E_INVALID;
    return peers.watch(kinds, [changed = params.changed, context = params.context](std::uint64_t revision, unsigned which) {
      const collet_change change{sizeof change, to_abi_kinds(which), revision};
      changed(context, &change);
    });
  });
}

}  // namespace

const collet_tools kToolsTable = {.struct_size = sizeof(collet_tools), .reserved = 0, .invoke = invoke, .cancel = cancel};
const collet_registry kRegistryTable = {.struct_size = sizeof(collet_registry), .reserved = 0, .list = list, .watch = watch};

}  // namespace collet::plugin
