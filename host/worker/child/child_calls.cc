#include "worker/child/child_calls.h"

#include "plugin/abi/abi_items.h"
#include "registry/ending.h"
#include "worker/talk/web_frame.h"

namespace collet::worker {

void ChildCalls::start(std::uint64_t id, FieldReader& fields, plugin::Generation& generation) {
  registry::Call call;
  const auto item = fields.number<std::uint64_t>();
  call.kind = plugin::to_call_kind(fields.number<std::uint32_t>()).value_or(registry::CallKind::tool);
  call.round = fields.number<std::uint32_t>();
  call.state_version = fields.number<std::uint32_t>();
  call.timeout_ms = fields.number<std::uint64_t>();
  call.name = fields.text();
  call.arguments = fields.text_or_nothing();
  call.variables = fields.text_or_nothing();
  call.input_responses = fields.text_or_nothing();
  call.state = fields.text_or_nothing().value_or(std::string_view());
  if (call.kind == registry::CallKind::route) call.web = read_web_request(fields.text());
  const auto [at, is_new] = running_.try_emplace(id, id, fields.rest(), out_, ended_);
  if (!is_new) return;
  call.handle = items_.handle_of(static_cast<std::uint32_t>(item));
  ChildCall& here = at->second;
  if (call.handle == 0) {
    registry::Ending ending =
        registry::failed(plugin::kInternalError, fmt::format("plugin {}: what was called is gone", plugin_));
    return here.on_end(ending);
  }
  const registry::CallId started = generation.start(call, here);
  if (started != 0) here.here = started;  // else it is no more
}

void ChildCalls::cancel(std::uint64_t id, std::uint32_t reason, plugin::Generation& generation) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  generation.cancel(found->second.here, static_cast<registry::CancelReason>(reason));
}

void ChildCalls::taken(std::uint64_t id, std::uint64_t bytes, plugin::Generation& generation) {
  const auto found = running_.find(id);
  if (found != running_.end()) generation.taken(found->second.here, bytes);
}

void ChildCalls::body(std::uint64_t id, FieldReader& fields, plugin::Generation& generation) {
  const std::string_view bytes = fields.text();
  const bool last = fields.number<std::uint8_t>() != 0;
  const auto found = running_.find(id);
  if (found != running_.end()) generation.body(found->second.here, bytes, last);
}

}  // namespace collet::worker
