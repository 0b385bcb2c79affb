#include "plugin/generation.h"

#include <algorithm>
#include <exception>

#include "base/json.h"
#include "base/log.h"
#include "collet/ext/reconfigure.h"
#include "collet/ext/save_state.h"
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
  for (const auto member : kTexts) queued.buffer.append(view(params.*member));
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

Clock::time_point own_threads_deadline() { return Clock::now() + std::chrono::milliseconds(limits::kOwnThreadsMs); }

CallRules effective(CallRules rules, const ElfReport& elf) {
  rules.inline_allowed = rules.inline_allowed && elf.inline_allowed();
  return rules;
}

}  // namespace

Generation::Generation(CallTable& calls, GenerationSpec spec, std::unique_ptr<Image> image, ElfReport elf)
    : calls_(calls),
      spec_(std::move(spec)),
      elf_(std::move(elf)),
      owner_(spec_.name, calls.loops()),
      items_(effective(spec_.rules, elf_)),
      blobs_(spec_.blob_memory),
      instructions_(spec_.instructed),
      loop_work_(calls, spec_.name),
      side_{calls_,
            owner_,
            items_,
            blobs_,
            spec_.resource_updated,
            &instructions_,
            spec_.isolated ? nullptr : &loop_work_},
      host_(make_host_table(side_)),
      image_(std::move(image)) {
  owner_.form = spec_.form;
  owner_.erred = spec_.erred;
  image_->listen({.gone =
                      [this](const std::string& cause) {
                        end_running(cause);
                        owner_.give_up();
                      },
                  .erred = [this] { owner_.note_error(); }});
}

Generation::~Generation() {
  COLLET_ASSERT(!stuck_ && !created_);
  control_.reset();  // before the library is closed, which a failed open() has left behind
}

std::string Generation::inline_obstacle() const {
  return spec_.rules.inline_allowed ? elf_.inline_obstacle() : "the configuration says inline = false";
}

std::string Generation::item_problem() const {
  std::string problem = items_.last_error();
  return problem.empty() ? image_->item_problem() : problem;
}

void Generation::begin_open() {
  control_ = std::make_unique<ControlThread>(spec_.name);
  on_control([this] { open(); });
}

// The plugin's code runs there.
void Generation::on_control(Callback<void()> task) {
  control_->run([this, kept = std::move(task)]() mutable {
    const OwnThreads::Inside inside(own_threads_.get());
    kept();
  });
}

Result<void> Generation::finish_open(Clock::time_point deadline) {
  constexpr std::string_view kLate = "loading it, or its create(), has not returned in time";
  if (!wait_for_control(deadline, kLate)) return leave(fmt::format("{}; it is left alone", kLate));
  if (!opened_ && elf_.unloadable() && !own_threads_->wait_until(own_threads_deadline())) {
    return leave(fmt::format("{}; {}", opened_.message(), own_threads_->describe()));
  }
  return opened_;
}

// Waits for plugin code to return, and ends it at the deadline if that can be done. False if it runs still.
bool Generation::wait_for_control(Clock::time_point deadline, std::string_view what) {
  if (control_->wait_until(deadline)) return true;
  return image_->kill(what) && control_->wait_until(Clock::time_point::max());
}

void Generation::open() {
  if (auto opened = image_->open(); !opened) {
    opened_ = opened.failure();
    return;
  }
  table_ = image_->table();
  const collet_plugin& plugin = table_.functions;
  if ((plugin.flags & COLLET_PLUGIN_WORKER_ONLY) && !spec_.isolated && !in_worker()) {
    opened_ = error("{}", kWorkerOnly);
    return;
  }
  if (spec_.never_unload || (plugin.flags & COLLET_PLUGIN_NEVER_UNLOAD)) image_->pin();
  concurrent_ = in_worker() || (plugin.flags & COLLET_PLUGIN_CONCURRENT) != 0;
  const unsigned wanted = plugin.max_concurrency ? plugin.max_concurrency : limits::kExecutorsDefault;
  executor_ = std::make_unique<Executor>(spec_.name, concurrent_ ? std::min(wanted, limits::kExecutorsMax) : 1,
                                         static_cast<Executor::Runner&>(*this));
  opened_ = create();
  if (!opened_) loop_work_.close(Clock::time_point::max());
}

Result<void> Generation::create() {
  collet_create_params params{};
  params.struct_size = sizeof params;
  params.generation = spec_.number;
  if (spec_.isolated) params.flags |= COLLET_CREATE_ISOLATED;
  params.config = to_str(spec_.config);
  if (spec_.prior) {
    params.prior_state = to_str(spec_.prior->bytes);
    params.prior_state_version = spec_.prior->version;
  }
  std::int32_t status = COLLET_E_INTERNAL;
  try {
    status = image_->create(host_, params, &self_);
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
  slot->item = item.id;
  if (call.kind == CallKind::resource) {
    slot->reading.uri.assign(call.name);
    slot->reading.mime.assign(item.mime);
  }
  const bool returns_at_once = in_worker() || item.inline_guard.allowed();
  if (returns_at_once && (concurrent_ || serial_.try_lock())) return run_inline(*slot, item, call);
  return enqueue(*slot, item, call);
}

CallId Generation::run_inline(CallSlot& slot, const ItemRecord& item, const registry::Call& call) {
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

CallId Generation::enqueue(CallSlot& slot, const ItemRecord& item, const registry::Call& call) {
  store(slot.queued, to_params(item, call));
  slot.began = Clock::now();
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
  collet_call_params params = restore(slot.queued, slot.began);
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
    if (status == COLLET_E_INTERNAL) owner_.note_error();
    end_unfinished(id, fmt::format("plugin {}: call() returned {} ({})", owner_.name, status_name(status), status));
  }
}

// An exception must not cross the ABI. Where the plugin was built so that it can be unwound, it fails the call;
// elsewhere std::terminate() has ended the process already.
std::int32_t Generation::invoke(CallId id, const collet_call_params& params) {
  const OwnThreads::Inside inside(own_threads_.get());
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
  if (!cancel_allowed_) return;
  const OwnThreads::Inside inside(own_threads_.get());
  table_.functions.cancel(self_, id, static_cast<std::uint32_t>(reason));
}

// the end

std::vector<std::string> Generation::describe_calls(std::size_t count) const {
  std::vector<RunningCall> calls = calls_.running(owner_);
  std::sort(calls.begin(), calls.end(), [](const auto& a, const auto& b) { return a.began < b.began; });
  std::vector<std::string> words;
  for (const RunningCall& call : calls) {
    if (words.size() == count) break;
    const std::string name = items_.name_of(call.item);
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - call.began).count();
    words.push_back(fmt::format("{}, for {} s", name.empty() ? "an item that was removed" : name, age));
  }
  return words;
}

void Generation::put_on_probation(std::function<void()> given_up) {
  owner_.given_up = std::move(given_up);
  owner_.errors_left = limits::kProbationErrorsMax;
}

bool Generation::wait_drained(Clock::duration at_most, bool can_be_hurried) {
  std::unique_lock lock(owner_.drain_mutex);
  owner_.drained.wait_until(lock, Clock::now() + at_most,
                            [&] { return (can_be_hurried && hurried_) || calls_.running(owner_).empty(); });
  return calls_.running(owner_).empty();
}

void Generation::hurry() {
  const std::lock_guard lock(owner_.drain_mutex);
  hurried_ = true;
  owner_.drained.notify_all();
}

bool Generation::wait_delivered() {
  std::unique_lock lock(owner_.drain_mutex);
  owner_.drained.wait(lock, [&] { return abandoned_ || owner_.calls_in_flight() == 0; });
  return owner_.calls_in_flight() == 0;
}

void Generation::abandon_delivery() {
  const std::lock_guard lock(owner_.drain_mutex);
  abandoned_ = true;
  owner_.drained.notify_all();
  loop_work_.abandon();
}

void Generation::cancel_all() {
  for (const RunningCall& call : calls_.running(owner_)) cancel(call.id, registry::CancelReason::shutdown);
}

void Generation::quiesce(Clock::duration at_most) {
  if (!table_.functions.quiesce || std::exchange(quiesced_, true)) return;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at_most).count();
  on_control([this, ms] { table_.functions.quiesce(self_, static_cast<std::uint32_t>(ms)); });
}

bool Generation::drain(const Patience& patience) {
  owner_.draining = true;
  if (wait_drained(patience.drain, true)) return true;
  log::warning("plugin {}: generation {} is to end, and asks {} of its calls to", owner_.name, spec_.number,
               calls_.running(owner_).size());
  cancel_all();
  return wait_drained(patience.grace, false);
}

void Generation::close_calls() {
  for (CallSlot* slot = executor_->close(); slot;) {
    CallSlot* next = slot->next;  // the slot may be used again as soon as its call has ended
    calls_.begin(*slot);
    end_unfinished(slot->id.load(), fmt::format("plugin {} was unloaded before the call began", owner_.name));
    slot = next;
  }
  end_running(fmt::format("plugin {} was unloaded before the call ended", owner_.name));
}

void Generation::end_running(std::string_view reason) {
  for (const RunningCall& call : calls_.running(owner_)) end_unfinished(call.id, std::string(reason));
}

Result<void> Generation::leave(std::string what) {
  stuck_ = true;
  return error("{}", what);
}

Result<void> Generation::close(const Patience& patience) {
  COLLET_ASSERT(created_ && !stuck_);
  items_.close();
  quiesce(patience.drain);
  drain(patience);
  close_calls();
  const auto deadline = Clock::now() + patience.end;
  if (!executor_->join_until(deadline)) return leave("its call() has not returned");
  // What an executor had taken, but not yet begun, a moment ago.
  end_running(fmt::format("plugin {} was unloaded before the call ended", owner_.name));
  if (!loop_work_.close(deadline)) return leave("what it runs on a loop has not returned");
  {
    const std::lock_guard lock(cancel_mutex_);
    cancel_allowed_ = false;
  }
  if (!inquiry_->end_by(deadline)) return leave("its status() has not returned");
  on_control([this] { table_.functions.destroy(self_); });
  constexpr std::string_view kLate = "its destroy() has not returned";
  if (!wait_for_control(deadline, kLate)) return leave(std::string(kLate));
  created_ = false;
  control_.reset();
  const bool pinned = spec_.never_unload || (table_.functions.flags & COLLET_PLUGIN_NEVER_UNLOAD);
  if (!pinned && elf_.unloadable() && !own_threads_->wait_until(own_threads_deadline())) {
    return leave(own_threads_->describe());
  }
  if (image_->close()) return {};
  mapped_because_ = pinned              ? "it is to stay loaded (NEVER_UNLOAD)"
                    : elf_.unloadable() ? "perhaps a thread that is not its own has thread-local data of it"
                                        : elf_.warnings.front();
  if (!pinned) {
    log::warning("plugin {}: its library is still mapped after it was closed: {}", owner_.name, mapped_because_);
  }
  return {};
}

// extensions of the plugin

template <class Extension>
std::optional<Extension> Generation::plugin_extension(std::string_view id) const {
  const OwnThreads::Inside inside(own_threads_.get());
  const auto* given = static_cast<const Extension*>(image_->get_extension(id));
  if (!given || given->struct_size < sizeof(std::uint32_t)) return std::nullopt;
  return copy_struct(*given);
}

std::string Generation::status() const {
  std::string out;
  const auto take = [](void* context, const char* json, std::size_t size) {
    static_cast<std::string*>(context)->assign(view(json, size));
  };
  const auto offered = plugin_extension<collet_status>(COLLET_STATUS_ID);
  const OwnThreads::Inside inside(own_threads_.get());
  if (!offered || !offered->status || offered->status(self_, take, &out) < 0 || !json::is_object(out)) return {};
  return out;
}

bool Generation::reports_status() const {
  const auto offered = plugin_extension<collet_status>(COLLET_STATUS_ID);
  return offered && offered->status;
}

bool Generation::watches() const {
  const auto offered = plugin_extension<collet_watch>(COLLET_WATCH_ID);
  return offered && offered->watch;
}

void Generation::watch(std::string_view uri, bool watched) const {
  const auto offered = plugin_extension<collet_watch>(COLLET_WATCH_ID);
  const OwnThreads::Inside inside(own_threads_.get());
  if (offered && offered->watch) offered->watch(self_, uri.data(), uri.size(), watched ? 1 : 0);
}

namespace {

// Where a plugin's save() writes to.
struct StateBuffer {
  std::string bytes;

  static std::int32_t write(void* to, const char* data, std::size_t size) {
    auto& buffer = *static_cast<StateBuffer*>(to);
    if (!is_sound(data, size)) return COLLET_E_INVALID;
    if (size > limits::kSavedStateBytesMax - buffer.bytes.size()) return COLLET_E_LIMIT;
    buffer.bytes.append(view(data, size));
    return COLLET_OK;
  }
};

}  // namespace

Result<std::optional<SavedState>> Generation::save_state(Clock::time_point deadline) {
  using Saved = std::optional<SavedState>;
  const auto extension = plugin_extension<collet_save_state>(COLLET_EXT_SAVE_STATE);
  if (!extension || !extension->save) return Saved();
  struct Job {
    StateBuffer buffer;
    std::int32_t status = COLLET_E_INTERNAL;
  };
  const auto job = std::make_shared<Job>();  // shared with a save() that does not return
  on_control([this, job, save = extension->save] {
    try {
      job->status = save(self_, StateBuffer::write, &job->buffer);
    } catch (...) {
      job->status = COLLET_E_INTERNAL;
    }
  });
  if (!control_->wait_until(deadline)) return error("the save() of the generation before has not returned in time");
  if (job->status < 0) {
    return error("the save() of the generation before returned {} ({})", status_name(job->status), job->status);
  }
  return Saved(SavedState{std::move(job->buffer.bytes), extension->version});
}

std::optional<std::uint32_t> Generation::state_version() const {
  const auto extension = plugin_extension<collet_save_state>(COLLET_EXT_SAVE_STATE);
  return extension && extension->save ? std::optional(extension->version) : std::nullopt;
}

bool Generation::reconfigurable() const {
  const auto extension = plugin_extension<collet_reconfigure>(COLLET_EXT_RECONFIGURE);
  return extension && extension->reconfigure;
}

bool Generation::reconfigure(const std::string& config, Clock::time_point deadline) {
  const auto extension = plugin_extension<collet_reconfigure>(COLLET_EXT_RECONFIGURE);
  if (!extension || !extension->reconfigure) return false;
  const auto status = std::make_shared<std::int32_t>(COLLET_E_INTERNAL);  // shared with one that does not return
  on_control([this, config, status, reconfigure = extension->reconfigure] {
    try {
      *status = reconfigure(self_, config.data(), config.size());
    } catch (...) {
      *status = COLLET_E_INTERNAL;
    }
  });
  return control_->wait_until(deadline) && *status >= 0;
}

}  // namespace collet::plugin
