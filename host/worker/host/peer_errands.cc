#include "worker/host/peer_errands.h"

#include "base/result.h"
#include "plugin/abi/structs.h"
#include "registry/item.h"

namespace collet::worker {
namespace {

using plugin::to_str;
using plugin::view;

constexpr std::size_t kSmallBytes = 1u << 10;  // an outcome that says no more than why there is none

}  // namespace

struct PeerErrands::Errand {
  PeerErrands& all;
  std::uint32_t incarnation;
  std::uint64_t id;
  std::size_t bytes = 0;
};

bool PeerErrands::find_tables(const collet_host& host) {
  tools_ = find<collet_tools>(host, COLLET_EXT_TOOLS);
  registry_ = find<collet_registry>(host, COLLET_EXT_REGISTRY);
  return tools_ && registry_;
}

Callback<void()> PeerErrands::forget() {
  watches_ = false;
  if (invocations_.empty()) return {};
  return [this, left = std::exchange(invocations_, {})] {
    for (const auto& [id, invocation] : left) tools_->cancel(host(), invocation);
  };
}

std::string PeerErrands::make(std::uint32_t incarnation, const FrameHead& head, std::string_view body) {
  switch (head.type) {
    case FrameType::invoke:
      return invoke(incarnation, head.id, body);
    case FrameType::list:
      return list(incarnation, head.id, body);
    case FrameType::watch_items:
      watch();
      return {};
    default:
      cancel(head.id);
      return {};
  }
}

std::string PeerErrands::invoke(std::uint32_t incarnation, std::uint64_t id, std::string_view body) {
  FieldReader fields(body);
  collet_invoke_params params{};
  params.struct_size = sizeof params;
  params.inside_of = fields.number<std::uint64_t>();
  params.flags = params.inside_of ? 0 : COLLET_INVOKE_AS_PLUGIN;
  params.kind = fields.number<std::uint32_t>();
  params.timeout_ms = fields.number<std::uint64_t>();
  params.name = to_str(fields.text());
  params.arguments = plugin::to_optional_str(fields.text_or_nothing());
  params.state = plugin::to_optional_str(fields.text_or_nothing());
  params.input_responses = plugin::to_optional_str(fields.text_or_nothing());
  if (!fields.complete()) return "it sent a frame that is no invocation";

  {
    const auto held = lock_for(incarnation);
    if (!held) return {};
    if (id == 0 || invocations_.contains(id)) return fmt::format("it used the number {} of an invocation twice", id);
    if (bytes_ + body.size() > limits::kWorkerQueueBytesMax) {
      refuse(incarnation, id, COLLET_E_LIMIT);
      return {};
    }
    bytes_ += body.size();
  }
  auto errand = std::make_unique<Errand>(Errand{*this, incarnation, id, body.size()});
  params.context = errand.get();
  params.progress = [](void* context, double done, double total, const char* message, std::size_t size) {
    const Errand& its = *static_cast<Errand*>(context);
    std::string frame;
    FrameWriter(frame, FrameType::invoked_progress, its.id).number(done).number(total).text(view(message, size));
    its.all.send(its.incarnation, frame, Need::may_be_lost);
  };
  params.ended = [](void* context, const collet_outcome* outcome) {
    const std::unique_ptr<Errand> its(static_cast<Errand*>(context));
    {
      const auto held = its->all.lock();
      its->all.bytes_ -= its->bytes;
      if (its->incarnation == its->all.incarnation()) its->all.invocations_.erase(its->id);
    }
    its->all.say_outcome(its->incarnation, its->id, *outcome);
  };
  collet_invocation invocation = 0;
  // Under the lock its end cannot be told before it is noted.
  const auto held = lock();
  if (incarnation != this->incarnation()) {
    bytes_ -= errand->bytes;
    return {};
  }
  const std::int32_t status = tools_->invoke(host(), &params, &invocation);
  if (status < 0) {
    bytes_ -= errand->bytes;
    refuse(incarnation, id, status);
    return {};
  }
  static_cast<void>(errand.release());
  invocations_[id] = invocation;
  return {};
}

std::string PeerErrands::list(std::uint32_t incarnation, std::uint64_t id, std::string_view body) {
  FieldReader fields(body);
  collet_list_params params{};
  params.struct_size = sizeof params;
  params.inside_of = fields.number<std::uint64_t>();
  params.flags = params.inside_of ? 0 : COLLET_INVOKE_AS_PLUGIN;
  params.kind = fields.number<std::uint32_t>();
  params.max = fields.number<std::uint32_t>();
  params.after = plugin::to_optional_str(fields.text_or_nothing());
  const bool by_name = fields.number<std::uint8_t>() != 0;
  std::vector<collet_str> names;
  while (by_name && !fields.at_end() && !fields.bad() && names.size() <= limits::kListedNamesMax) {
    names.push_back(to_str(fields.text()));
  }
  if (!fields.complete()) return "it sent a frame that is no list of what it wants to know";
  names.reserve(1);  // so that there is an address also of none
  if (by_name) params.names = names.data();
  params.name_count = names.size();
  {
    const auto held = lock();
    if (lists_ >= limits::kWorkerListsMax) {
      say_listing(incarnation, id, COLLET_E_LIMIT, {});
      return {};
    }
    ++lists_;
  }
  auto errand = std::make_unique<Errand>(Errand{*this, incarnation, id});
  params.context = errand.get();
  params.listed = [](void* context, std::int32_t status, const char* json, std::size_t size) {
    const std::unique_ptr<Errand> its(static_cast<Errand*>(context));
    {
      const auto held = its->all.lock();
      --its->all.lists_;
    }
    its->all.say_listing(its->incarnation, its->id, status, view(json, size));
  };
  const std::int32_t status = registry_->list(host(), &params);
  static_cast<void>(errand.release());  // of whoever tells the end
  if (status < 0) params.listed(params.context, status, nullptr, 0);
  return {};
}

void PeerErrands::say_listing(std::uint32_t incarnation, std::uint64_t id, std::int32_t status, std::string_view json) const {
  std::string frame;
  FrameWriter(frame, FrameType::listing, id).number(status).text(json);
  if (send(incarnation, frame, status < 0 ? Need::must_be_sent : Need::may_be_lost)) return;
  if (status >= 0) say_listing(incarnation, id, COLLET_E_LIMIT, {});
}

void PeerErrands::watch() {
  {
    const auto held = lock();
    watches_ = true;
  }
  collet_watch_params params{};
  params.struct_size = sizeof params;
  params.context = this;
  params.changed = [](void* context, const collet_change* change) {
    PeerErrands& all = *static_cast<PeerErrands*>(context);
    std::uint32_t incarnation;
    {
      const auto held = all.lock();
      if (!all.watches_) return;
      incarnation = all.incarnation();
    }
    std::string frame;
    FrameWriter(frame, FrameType::items_changed).number(change->revision).number(change->kinds);
    all.send(incarnation, frame, Need::must_be_sent);
  };
  registry_->watch(host(), &params);
}

void PeerErrands::cancel(std::uint64_t id) {
  collet_invocation invocation = 0;
  {
    const auto held = lock();
    const auto found = invocations_.find(id);
    if (found != invocations_.end()) invocation = found->second;
  }
  if (invocation) tools_->cancel(host(), invocation);
}

void PeerErrands::say_outcome(std::uint32_t incarnation, std::uint64_t id, const collet_outcome& outcome) const {
  std::string questions;
  for (std::size_t i = 0; i < outcome.question_count; ++i) {
    FieldWriter(questions).text(view(outcome.questions[i].key)).text(view(outcome.questions[i].request));
  }
  std::string frame;
  {
    FrameWriter writer(frame, FrameType::outcome, id);
    writer.number(outcome.how).number(outcome.is_error).number(outcome.rpc_code).text(view(outcome.result));
    writer.text(view(outcome.message)).text_or_nothing(plugin::optional_view(outcome.data)).text(view(outcome.state)).text(questions);
  }
  if (send(incarnation, frame, frame.size() < kSmallBytes ? Need::must_be_sent : Need::may_be_lost)) return;
  if (frame.size() >= kSmallBytes) refuse(incarnation, id, COLLET_E_LIMIT);
}

// What invoke() would have returned in this process, had it known.
void PeerErrands::refuse(std::uint32_t incarnation, std::uint64_t id, std::int32_t status) const {
  const std::string why = status == COLLET_E_STALE || status == COLLET_E_STATE
                              ? "The call inside of which it was to be made has ended"
                              : fmt::format("The host refuses it: {}", plugin::status_name(status));
  collet_outcome outcome{};
  outcome.struct_size = sizeof outcome;
  outcome.how = COLLET_OUTCOME_FAILED;
  outcome.rpc_code = mcp::kInternalError;
  outcome.message = to_str(why);
  say_outcome(incarnation, id, outcome);
}

}  // namespace collet::worker
