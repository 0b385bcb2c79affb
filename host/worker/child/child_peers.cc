#include "worker/child/child_peers.h"

#include "plugin/abi/abi_items.h"
#include "plugin/abi/structs.h"
#include "worker/child/child_call.h"

namespace collet::worker {
std::int32_t ChildPeers::start(std::uint64_t id, plugin::LockedCall& inside_of, registry::Order order) {
  out_.put([&](std::string& out) {
    FrameWriter frame(out, FrameType::invoke, id);
    frame.number(id_at_host(inside_of)).number(plugin::to_abi(order.kind)).number(order.timeout_ms).text(order.name);
    frame.text_or_nothing(plugin::optional_view(order.arguments));
    frame.text_or_nothing(order.state.empty() ? std::nullopt : std::optional<std::string_view>(order.state));
    frame.text_or_nothing(plugin::optional_view(order.answers));
  });
  return COLLET_OK;
}

std::int32_t ChildPeers::start_list(std::uint64_t id, plugin::LockedCall& inside_of, plugin::ListOrder order) {
  out_.put([&](std::string& out) {
    FrameWriter frame(out, FrameType::list, id);
    frame.number(id_at_host(inside_of)).number(plugin::to_abi(order.kind)).number(order.items_max);
    frame.text_or_nothing(plugin::optional_view(order.after)).number(static_cast<std::uint8_t>(order.names.has_value()));
    if (order.names) {
      for (const std::string& name : *order.names) frame.text(name);
    }
  });
  return COLLET_OK;
}

void ChildPeers::stop(std::uint64_t id, registry::CancelReason) {
  out_.put([&](std::string& out) { FrameWriter(out, FrameType::cancel_invocation, id); });
}

void ChildPeers::start_watch() {
  out_.put([](std::string& out) { FrameWriter(out, FrameType::watch_items); });
}

void ChildPeers::take(const FrameHead& head, FieldReader& fields) {
  if (head.type == FrameType::items_changed) {
    const auto revision = fields.number<std::uint64_t>();
    return tell_changed(revision, plugin::to_kinds(fields.number<std::uint32_t>()));
  }
  if (head.type == FrameType::listing) {
    const auto status = fields.number<std::int32_t>();
    return tell_listed(head.id, status, std::string(fields.text()));
  }
  if (head.type == FrameType::invoked_progress) {
    const auto done = fields.number<double>();
    const auto total = fields.number<double>();
    return tell_progress(head.id, done, total, fields.text());
  }
  plugin::Outcome outcome;
  outcome.how = static_cast<registry::Ending::How>(fields.number<std::uint32_t>());
  outcome.is_error = fields.number<std::uint32_t>() != 0;
  outcome.rpc_code = fields.number<std::int32_t>();
  outcome.result = fields.text();
  outcome.message = fields.text();
  outcome.data = fields.text_or_nothing().value_or("");
  outcome.state = fields.text();
  for (FieldReader questions(fields.text()); !questions.at_end() && !questions.bad();) {
    const std::string_view key = questions.text();
    outcome.questions.push_back({std::string(key), std::string(questions.text())});
  }
  tell_end(head.id, std::move(outcome));
}

}  // namespace collet::worker
