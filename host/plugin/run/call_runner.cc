#include "plugin/run/call_runner.h"

#include <algorithm>
#include <exception>
#include <new>

#include "base/log.h"
#include "plugin/abi/abi_items.h"
#include "plugin/abi/structs.h"
#include "registry/ending.h"

namespace collet::plugin {
namespace {

collet_call_params to_params(const ItemRecord& item, const registry::Call& call) {
  collet_call_params params;
  params.struct_size = sizeof params;
  params.kind = to_abi(call.kind);
  params.item = item.id;
  params.deadline_ms = call.timeout_ms;
  params.round = call.round;
  params.state_version = call.state_version;
  params.item_user = item.user;
  params.name = to_str(call.name);
  params.arguments = to_optional_str(call.arguments);
  params.variables = to_optional_str(call.variables);
  params.input_responses = to_optional_str(call.input_responses);
  params.state = call.round > 0 ? to_str(call.state) : collet_str{};
  return params;
}

constexpr std::array kTexts = {&collet_call_params::name, &collet_call_params::arguments,
                               &collet_call_params::variables, &collet_call_params::input_responses,
                               &collet_call_params::state};
static_assert(kTexts.size() == QueuedCall::kTexts);

// False: there is no memory for it.
bool store(QueuedCall& queued, const collet_call_params& params) {
  queued.params = params;
  try {
    for (const auto member : kTexts) queued.buffer.append(view(params.*member));
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

// The parameters with their texts where they are now, and with what is left of the time.
collet_call_params restore(const QueuedCall& queued, Clock::time_point began) {
  collet_call_params params = queued.params;
  const char* at = queued.buffer.data();
  for (const auto member : kTexts) {
    collet_str& text = params.*member;
    if (!text.data) continue;
    text.data = at;
    at += text.size;
  }
  if (params.deadline_ms > 0) {
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
    const auto spent = static_cast<std::uint64_t>(waited.count());
    params.deadline_ms = spent < params.deadline_ms ? params.deadline_ms - spent : 1;
  }
  return params;
}

crash::Within place_of(CallId id, const collet_call_params& params) {
  const auto kind = to_call_kind(params.kind);
  return {"its call()", kind ? mcp::names_of(*kind).noun : std::string_view(), view(params.name), id};
}

CallId refuse(registry::Listener& listener, std::string reason) {
  registry::Ending ending = registry::failed(kInternalError, std::move(reason));
  listener.on_end(ending);
  return 0;
}

}  // namespace

void CallRunner::open() {
  const collet_plugin& plugin = instance_.table().functions;
  concurrent_ = instance_.in_worker() || instance_.has_flag(COLLET_PLUGIN_CONCURRENT);
  const unsigned wanted = plugin.max_concurrency ? plugin.max_concurrency : limits::kExecutorsDefault;
  executor_ = std::make_shared<Executor>(owner_.name, concurrent_ ? std::min(wanted, limits::kExecutorsMax) : 1,
                                         static_cast<Executor::Runner&>(*this));
}

void CallRunner::close() {
  for (CallSlot* slot = executor_->close(); slot;) {
    CallSlot* next = slot->next;  // the slot may be used again as soon as its call has ended
    calls_.begin(*slot);
    running_.end(slot->id.load(), fmt::format("plugin {} was unloaded before the call began", owner_.name));
    slot = next;
  }
}

bool CallRunner::join_until(Clock::time_point deadline) { return executor_->join_until(deadline); }

CallId CallRunner::start(const registry::Call& call, registry::Listener& listener) {
  const auto& item = *reinterpret_cast<const ItemRecord*>(call.handle);
  auto route = call.web ? std::make_shared<RouteState>(call.web) : nullptr;  // before there is a slot to be given back
  CallSlot* slot = calls_.acquire(call.loop, owner_, listener, call.kind);
  if (!slot) return refuse(listener, fmt::format("more than {} calls are running", limits::kCallsInFlightMax));
  slot->item = item.id;
  slot->output = call.output;
  slot->principal = call.principal;
  slot->depth = call.depth;
  slot->route = std::move(route);
  if (call.kind == CallKind::resource) {
    slot->reading.uri.assign(call.name);
    slot->reading.mime.assign(item.mime);
  }
  const bool returns_at_once = instance_.in_worker() || item.inline_guard.allowed();
  if (returns_at_once && (concurrent_ || serial_.try_lock())) return run_inline(*slot, item, call);
  return enqueue(*slot, item, call);
}

CallId CallRunner::run_inline(CallSlot& slot, const ItemRecord& item, const registry::Call& call) {
  collet_call_params params = to_params(item, call);
  const LoopTime before = LoopTime::now(item.inline_guard.take_watch());
  slot.began = before.wall;
  const CallId id = calls_.open_held(slot);
  run(id, params);
  const LoopTime after = LoopTime::now(before.watched);
  if (!concurrent_) serial_.unlock();
  // By its id: the plugin may have removed the item meanwhile.
  if (overran(before, after)) note_overrun(params.item, after.wall - before.wall);
  return calls_.settle(slot);
}

CallId CallRunner::enqueue(CallSlot& slot, const ItemRecord& item, const registry::Call& call) {
  const bool stored = store(slot.queued, to_params(item, call));
  slot.began = Clock::now();
  const CallId id = calls_.open_waiting(slot);
  if (!stored) {
    calls_.begin(slot);
    running_.end_for_memory(id);
    return id;
  }
  const char* reason = nullptr;
  loop::Loop* const here = loop::Loop::current();
  switch (executor_->push(slot, here ? Executor::Wake::at_turn_end : Executor::Wake::now)) {
    case Executor::Pushed::accepted:
      if (here) here->at_turn_end(executor_);
      return id;
    case Executor::Pushed::full:
      reason = "too many calls of it are waiting";
      break;
    case Executor::Pushed::closed:
      reason = "it is being unloaded";
      break;
    case Executor::Pushed::no_thread:
      reason = "no thread can be started for it";
      break;
  }
  calls_.begin(slot);
  running_.end(id, fmt::format("plugin {}: {}", owner_.name, reason));
  return id;
}

void CallRunner::run_queued(CallSlot& slot) {
  const CallId id = slot.id.load(std::memory_order_acquire);
  calls_.begin(slot);
  if (slot.cancelled.load(std::memory_order_relaxed)) {
    running_.end(id, "the call was cancelled before it began");
    return;
  }
  collet_call_params params = restore(slot.queued, slot.began);
  if (concurrent_) {
    run(id, params);
  } else {
    const std::lock_guard lock(serial_);
    run(id, params);
  }
}

void CallRunner::run(CallId id, collet_call_params& params) {
  std::int32_t status = invoke(id, params);
  if (status == COLLET_E_STATE && params.round > 0) {
    params.round = 0;
    params.state_version = 0;
    params.state = params.input_responses = {};
    status = invoke(id, params);
  }
  if (status == COLLET_E_UNSUPPORTED && params.kind == COLLET_COMPLETE) {  // it completes nothing
    if (LockedCall call = calls_.lock(id, owner_)) calls_.end(std::move(call));
  } else if (status < 0) {
    if (status == COLLET_E_INTERNAL) owner_.note_error();
    running_.end(id, fmt::format("plugin {}: call() returned {} ({})", owner_.name, status_name(status), status));
  }
}

// An exception must not cross the ABI. Where the plugin was built so that it can be unwound, it fails the call;
// elsewhere std::terminate() has ended the process already.
std::int32_t CallRunner::invoke(CallId id, const collet_call_params& params) {
  const OwnThreads::Inside inside = instance_.enter(place_of(id, params));
  try {
    return instance_.call(id, params);
  } catch (const std::exception& thrown) {
    if (instance_.in_worker()) {  // it is the host's own code that has thrown, for want of memory
      running_.end_for_memory(id);
      return COLLET_E_LIMIT;
    }
    running_.end(id, fmt::format("plugin {}: call() threw an exception: {}", owner_.name, thrown.what()));
  } catch (...) {
    running_.end(id, fmt::format("plugin {}: call() threw an exception", owner_.name));
  }
  return COLLET_E_INTERNAL;
}

void CallRunner::note_overrun(collet_item item, Clock::duration took) {
  std::string name;
  if (!items_.note_overrun(item, name)) return;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  log::warning(
      "plugin {}: \"{}\" is declared NONBLOCKING, but has kept a loop for more than {} µs {} times, now for {} µs: "
      "from now on it runs on an executor",
      owner_.name, name, limits::kInlineBudgetUs, limits::kInlineOverrunsMax, us);
}

}  // namespace collet::plugin
