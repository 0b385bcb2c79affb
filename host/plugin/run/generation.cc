#include "plugin/run/generation.h"

#include <algorithm>
#include <exception>

#include "base/log.h"
#include "plugin/abi/structs.h"

namespace collet::plugin {
namespace {

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
      running_(calls_, owner_),
      last_calls_(owner_, running_),
      items_(effective(spec_.rules, elf_)),
      blobs_(spec_.blob_memory),
      instructions_(spec_.instructed),
      loop_work_(calls, spec_.name),
      errands_(spec_, calls_, owner_, *own_threads_),
      refusals_(spec_.debug && !image->isolated() ? std::make_unique<Refusals>(spec_.name) : nullptr),
      side_{calls_,
            owner_,
            items_,
            blobs_,
            spec_.resource_updated,
            spec_.status_changed,
            &instructions_,
            spec_.isolated ? nullptr : &loop_work_,
            errands_.peers(),
            errands_.fetches(),
            refusals_.get(),
            image->isolated() || spec_.isolated,
            spec_.isolated,
            errands_.records(),
            errands_.streams()},
      host_(make_host_table(side_)),
      image_(std::move(image)) {
  owner_.form = spec_.form;
  owner_.erred = spec_.erred;
  owner_.leaves_invocations = [this](CallId id) { errands_.cancel_inside(id, registry::CancelReason::client); };
  image_->listen({.gone =
                      [this](const std::string& cause) {
                        running_.end_all(cause);
                        owner_.give_up();
                        if (spec_.status_changed) spec_.status_changed();
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
  if (!opened_ && elf_.unloadable() && !own_threads_->wait()) {
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
  if (opened_) return;
  loop_work_.close(Clock::time_point::max());
  errands_.end_all();
  errands_.close(Clock::time_point::max());
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
  if (in_worker()) errands_.open();  // its create() has returned, over there
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
  route_watch_ = plugin_extension<collet_http_watch>(COLLET_EXT_HTTP).value_or(collet_http_watch());
  {
    const std::lock_guard lock(telling_mutex_);
    tells_ = true;
  }
  if (!in_worker()) errands_.open();
  items_.commit();
  return {};
}

// the end

void Generation::put_on_probation(std::function<void()> given_up) {
  owner_.given_up = std::move(given_up);
  owner_.errors_left = limits::kProbationErrorsMax;
}

void Generation::abandon_delivery() {
  loop_work_.abandon();
  last_calls_.abandon();  // last: who waits for it may find all of it done
}

void Generation::quiesce(Clock::duration at_most) {
  if (!table_.functions.quiesce || std::exchange(quiesced_, true)) return;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at_most).count();
  on_control([this, ms] { table_.functions.quiesce(self_, static_cast<std::uint32_t>(ms)); });
}

bool Generation::drain(const Patience& patience) {
  last_calls_.expect();
  if (last_calls_.wait_ended(patience.drain, true)) return true;
  log::warning("plugin {}: generation {} is to end, and asks {} of its calls to", owner_.name, spec_.number,
               running_.list().size());
  for (const RunningCall& call : running_.list()) cancel(call.id, registry::CancelReason::shutdown);
  return last_calls_.wait_ended(patience.grace, false);
}

void Generation::close_calls() {
  for (CallSlot* slot = executor_->close(); slot;) {
    CallSlot* next = slot->next;  // the slot may be used again as soon as its call has ended
    calls_.begin(*slot);
    running_.end(slot->id.load(), fmt::format("plugin {} was unloaded before the call began", owner_.name));
    slot = next;
  }
  running_.end_all(fmt::format("plugin {} was unloaded before the call ended", owner_.name));
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
  errands_.end_all();  // an executor may wait for them
  const auto deadline = Clock::now() + patience.end;
  if (!executor_->join_until(deadline)) return leave("its call() has not returned");
  // What an executor had taken, but not yet begun, a moment ago.
  running_.end_all(fmt::format("plugin {} was unloaded before the call ended", owner_.name));
  if (!loop_work_.close(deadline)) return leave("what it runs on a loop has not returned");
  if (!errands_.close(deadline)) return leave("what it does with an answer has not returned");
  {
    const std::lock_guard lock(telling_mutex_);
    tells_ = false;
  }
  if (!inquiry_->end_by(deadline)) return leave("its status() has not returned");
  on_control([this] { table_.functions.destroy(self_); });
  constexpr std::string_view kLate = "its destroy() has not returned";
  if (!wait_for_control(deadline, kLate)) return leave(std::string(kLate));
  created_ = false;
  control_.reset();
  if (refusals_) refusals_->note_blobs_left(blobs_.count());
  const bool pinned = spec_.never_unload || (table_.functions.flags & COLLET_PLUGIN_NEVER_UNLOAD);
  if (!pinned && elf_.unloadable() && !own_threads_->wait()) {
    return leave(own_threads_->describe());
  }
  if (image_->close()) return {};
  mapped_because_ = pinned              ? "it is to stay loaded (NEVER_UNLOAD)"
                    : elf_.unloadable() ? "perhaps a thread that is not its own has thread-local data of it"
                                        : elf_.warnings.front();
  if (!pinned && !spec_.isolated) {  // a process of its own ends with it
    log::warning("plugin {}: its library is still mapped after it was closed: {}", owner_.name, mapped_because_);
  }
  return {};
}

}  // namespace collet::plugin
