#include "plugin/generation.h"

#include <algorithm>
#include <exception>

#include "base/json.h"
#include "base/log.h"
#include "collet/ext/status.h"
#include "collet/ext/watch.h"
#include "plugin/structs.h"

namespace collet::plugin {
namespace {

collet_str to_str(std::string_view text) { return {text.data() ? text.data() : "", text.size()}; }
collet_str to_str_or_absent(const std::optional<std::string_view>& text) {
  return text ? to_str(*text) : collet_str{};
}

constexpr std::uint32_t to_abi(CallKind kind) {
  switch (kind) {
    case CallKind::tool:
      return COLLET_TOOL;
    case CallKind::resource:
      return COLLET_RESOURCE;
    case CallKind::prompt:
      return COLLET_PROMPT;
    case CallKind::complete:
      return COLLET_COMPLETE;
  }
  return 0;
}

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
  params.arguments = to_str_or_absent(call.arguments);
  params.variables = to_str_or_absent(call.variables);
  params.input_responses = to_str_or_absent(call.input_responses);
  params.state = call.round > 0 ? to_str(call.state) : collet_str{};
  return params;
}

constexpr std::array kTexts = {&collet_call_params::name, &collet_call_params::arguments,
                               &collet_call_params::variables, &collet_call_params::input_responses,
                               &collet_call_params::state};
static_assert(kTexts.size() == QueuedCall::kTexts);

void store(QueuedCall& queued, const collet_call_params& params) {
  queued.params = params;
  queued.queued_at = Clock::now();
  for (const auto member : kTexts) queued.buffer.append(view(params.*member));
}

// The parameters with their texts where they are now, and with what is left of the time.
collet_call_params restore(const QueuedCall& queued) {
  collet_call_params params = queued.params;
  const char* at = queued.buffer.data();
  for (const auto member : kTexts) {
    collet_str& text = params.*member;
    if (!text.data) continue;
    text.data = at;
    at += text.size;
  }
  if (params.deadline_ms > 0) {
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - queued.queued_at);
    const auto spent = static_cast<std::uint64_t>(waited.count());
    params.deadline_ms = spent < params.deadline_ms ? params.deadline_ms - spent : 1;
  }
  return params;
}

CallRules effective(CallRules rules, const ElfReport& elf) {
  rules.inline_allowed = rules.inline_allowed && elf.inline_allowed();
  return rules;
}

}  // namespace

Generation::Generation(CallTable& calls, GenerationSpec spec, PrivateFile file, ElfReport elf)
    : calls_(calls),
      spec_(std::move(spec)),
      file_(std::move(file)),
      elf_(std::move(elf)),
      owner_(spec_.name, calls.loops()),
      items_(effective(spec_.rules, elf_)),
      side_{calls_, owner_, items_, blobs_, spec_.resource_updated},
      host_(make_host_table(side_)) {}

Generation::~Generation() {
  COLLET_ASSERT(!stuck_ && !created_);
  control_.reset();  // before the library is closed, which a failed open() has left behind
}

std::string Generation::inline_obstacle() const {
  return spec_.rules.inline_allowed ? elf_.inline_obstacle() : "the configuration says inline = false";
}

void Generation::begin_open() {
  control_ = std::make_unique<ControlThread>(spec_.name);
  control_->run([this] { open(); });
}

Result<void> Generation::finish_open(Clock::time_point deadline) {
  if (!control_->wait_until(deadline)) {
    return leave("loading it, or its create(), has not returned in time; it is left alone");
  }
  return opened_;
}

void Generation::open() {
  auto library = Library::open(std::move(file_));
  if (!library) {
    opened_ = library.failure();
    return;
  }
  library_ = std::move(*library);
  table_ = library_->table();
  const collet_plugin& plugin = table_.functions;
  if (plugin.flags & COLLET_PLUGIN_WORKER_ONLY) {
    opened_ = error("{}", kWorkerOnly);
    return;
  }
  if (spec_.never_unload || (plugin.flags & COLLET_PLUGIN_NEVER_UNLOAD)) library_->pin();
  concurrent_ = (plugin.flags & COLLET_PLUGIN_CONCURRENT) != 0;
  const unsigned wanted = plugin.max_concurrency ? plugin.max_concurrency : limits::kExecutorsDefault;
  executor_ = std::make_unique<Executor>(spec_.name, concurrent_ ? std::min(wanted, limits::kExecutorsMax) : 1,
                                         static_cast<Executor::Runner&>(*this));
  opened_ = create();
}

Result<void> Generation::create() {
  collet_create_params params{};
  params.struct_size = sizeof params;
  params.generation = spec_.number;
  params.config = to_str(spec_.config);
  std::int32_t status = COLLET_E_INTERNAL;
  try {
    status = table_.functions.create(&host_, &params, &self_);
  } catch (const std::exception& thrown) {
    return error("its create() threw an exception: {}", thrown.what());
  } catch (...) {
    return error("its create() threw an exception");
  }
  if (status < 0) {
    const std::string item = items_.last_error();
    return error("its create() returned {} ({}){}{}", status_name(status), status, item.empty() ? "" : ": ", item);
  }
  created_ = true;
  {
    const std::lock_guard lock(cancel_mutex_);
    cancel_allowed_ = table_.functions.cancel != nullptr;
  }
  items_.commit();
  return {};
}

// calls

CallId Generation::refuse(registry::Listener& listener, std::string reason) const {
  registry::Ending ending;
  ending.how = registry::Ending::How::failed;
  ending.rpc_code = kInternalError;
  ending.message = std::move(reason);
  listener.on_end(ending);
  return 0;
}

CallId Generation::start(const registry::Call& call, registry::Listener& listener) {
  const auto& item = *reinterpret_cast<const ItemRecord*>(call.handle);
  CallSlot* slot = calls_.acquire(call.loop, owner_, listener, call.kind);
  if (!slot) return refuse(listener, fmt::format("more than {} calls are running", limits::kCallsInFlightMax));
  if (call.kind == CallKind::resource) {
    slot->reading.uri.assign(call.name);
    slot->reading.mime.assign(item.mime);
  }
  if (item.inline_guard.allowed() && (concurrent_ || serial_.try_lock())) {
    return run_inline(*slot, item, call);
  }
  return enqueue(*slot, item, call);
}

CallId Generation::run_inline(CallSlot& slot, const ItemRecord& item, const registry::Call& call) {
  collet_call_params params = to_params(item, call);
  const CallId id = calls_.open_held(slot);
  const LoopTime before = LoopTime::now(item.inline_guard.take_watch());
  run(id, params);
  const LoopTime after = LoopTime::now(before.watched);
  if (!concurrent_) serial_.unlock();
  // By its id: the plugin may have removed the item meanwhile.
  if (overran(before, after)) note_overrun(params.item, after.wall - before.wall);
  return calls_.settle(slot);
}

CallId Generation::enqueue(CallSlot& slot, const ItemRecord& item, const registry::Call& call) {
  store(slot.queued, to_params(item, call));
  const CallId id = calls_.open_waiting(slot);
  const char* reason = nullptr;
  switch (executor_->push(slot)) {
    case Executor::Pushed::accepted:
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
  end_unfinished(id, fmt::format("plugin {}: {}", owner_.name, reason));
  return id;
}

void Generation::run_queued(CallSlot& slot) {
  const CallId id = slot.id.load(std::memory_order_acquire);
  calls_.begin(slot);
  if (slot.cancelled.load(std::memory_order_relaxed)) {
    end_unfinished(id, "the call was cancelled before it began");
    return;
  }
  collet_call_params params = restore(slot.queued);
  if (concurrent_) {
    run(id, params);
  } else {
    const std::lock_guard lock(serial_);
    run(id, params);
  }
}

void Generation::run(CallId id, collet_call_params& params) {
  std::int32_t status = invoke(id, params);
  if (status == COLLET_E_STATE && params.round > 0) {
    params.round = 0;
    params.state_version = 0;
    params.state = params.input_responses = {};
    status = invoke(id, params);
  }
  if (status < 0) {
    end_unfinished(id, fmt::format("plugin {}: call() returned {} ({})", owner_.name, status_name(status), status));
  }
}

// An exception must not cross the ABI. Where the plugin was built so that it can be unwound, it fails the call;
// elsewhere std::terminate() has ended the process already.
std::int32_t Generation::invoke(CallId id, const collet_call_params& params) {
  try {
    return table_.functions.call(self_, id, &params);
  } catch (const std::exception& thrown) {
    end_unfinished(id, fmt::format("plugin {}: call() threw an exception: {}", owner_.name, thrown.what()));
  } catch (...) {
    end_unfinished(id, fmt::format("plugin {}: call() threw an exception", owner_.name));
  }
  return COLLET_E_INTERNAL;
}

void Generation::end_unfinished(CallId id, std::string reason) {
  LockedCall call = calls_.lock(id, owner_);
  if (!call) return;
  if (!call->failure.empty()) reason = call->failure;  // what went wrong first
  calls_.end_failed(std::move(call), kInternalError, std::move(reason));
}

void Generation::note_overrun(collet_item item, Clock::duration took) {
  std::string name;
  if (!items_.note_overrun(item, name)) return;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  log::warning(
      "plugin {}: \"{}\" is declared NONBLOCKING, but has kept a loop for more than {} µs {} times, now for {} µs: "
      "from now on it runs on an executor",
      owner_.name, name, limits::kInlineBudgetUs, limits::kInlineOverrunsMax, us);
}

void Generation::cancel(CallId id, registry::CancelReason reason) {
  if (calls_.mark_cancelled(id, owner_) != CallTable::Progressed::begun) return;
  const std::lock_guard lock(cancel_mutex_);
  if (cancel_allowed_) table_.functions.cancel(self_, id, static_cast<std::uint32_t>(reason));
}

void Generation::cancel_calls(unsigned loop) {
  for (const CallId id : calls_.running(owner_, loop)) cancel(id, registry::CancelReason::shutdown);
}

// the end

template <class Extension>
const Extension* Generation::extension(std::string_view id) const {
  const collet_plugin& plugin = table_.functions;
  if (!created_ || !plugin.get_extension) return nullptr;
  const auto* table = static_cast<const Extension*>(plugin.get_extension(id.data(), id.size()));
  return table && table->struct_size >= sizeof(Extension) ? table : nullptr;
}

std::string Generation::status() const {
  std::string out;
  const auto take = [](void* context, const char* json, std::size_t size) {
    static_cast<std::string*>(context)->assign(view(json, size));
  };
  const auto* offered = extension<collet_status>(COLLET_STATUS_ID);
  if (offered && offered->status(self_, take, &out) == COLLET_OK && json::is_object(out)) return out;
  return {};
}

void Generation::watch(std::string_view uri, bool watched) const {
  if (const auto* offered = extension<collet_watch>(COLLET_WATCH_ID)) {
    offered->watch(self_, uri.data(), uri.size(), watched ? 1 : 0);
  }
}

bool Generation::wait_drained(Clock::time_point deadline) {
  std::unique_lock lock(owner_.drain_mutex);
  return owner_.drained.wait_until(lock, deadline, [&] { return calls_.running(owner_).empty(); });
}

void Generation::close_calls(Clock::time_point half, Clock::time_point three_quarters) {
  owner_.draining = true;
  if (!wait_drained(half)) {
    for (const CallId id : calls_.running(owner_)) cancel(id, registry::CancelReason::shutdown);
    wait_drained(three_quarters);
  }
  for (CallSlot* slot = executor_->close(); slot;) {
    CallSlot* next = slot->next;  // the slot may be used again as soon as its call has ended
    calls_.begin(*slot);
    end_unfinished(slot->id.load(), fmt::format("plugin {} was unloaded before the call began", owner_.name));
    slot = next;
  }
  end_running();
}

void Generation::end_running() {
  for (const CallId id : calls_.running(owner_)) {
    end_unfinished(id, fmt::format("plugin {} was unloaded before the call ended", owner_.name));
  }
}

Result<void> Generation::leave(std::string what) {
  stuck_ = true;
  return error("{}", what);
}

Result<void> Generation::close(Clock::time_point deadline) {
  COLLET_ASSERT(created_ && !stuck_);
  const auto began = Clock::now();
  const auto span = std::max(deadline - began, Clock::duration::zero());
  items_.close();
  const collet_plugin& plugin = table_.functions;
  if (plugin.quiesce) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(span / 2).count();
    control_->run([this, ms] { table_.functions.quiesce(self_, static_cast<std::uint32_t>(ms)); });
  }
  close_calls(began + span / 2, began + span * 3 / 4);
  if (!executor_->join_until(deadline)) return leave("its call() has not returned");
  end_running();  // what an executor had taken, but not yet begun, a moment ago
  {
    const std::lock_guard lock(cancel_mutex_);
    cancel_allowed_ = false;
  }
  control_->run([this] { table_.functions.destroy(self_); });
  if (!control_->wait_until(deadline)) return leave("its destroy() has not returned");
  created_ = false;
  control_.reset();
  const bool pinned = spec_.never_unload || (plugin.flags & COLLET_PLUGIN_NEVER_UNLOAD);
  if (!library_->close() && !pinned) {
    log::warning("plugin {}: its library is still mapped after it was closed: {}", owner_.name,
                 elf_.unloadable() ? "perhaps a thread of its own still runs" : elf_.warnings.front());
  }
  return {};
}

}  // namespace collet::plugin
