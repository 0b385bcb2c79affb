#include "plugin/run/generation.h"

#include "base/assert.h"
#include "base/log.h"
#include "plugin/abi/structs.h"
#include "plugin/load/config_check.h"

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
            errands_.streams(),
            &create_errors_},
      host_(make_host_table(side_)),
      instance_(std::move(image), *own_threads_),
      runner_(calls_, owner_, items_, instance_, running_),
      control_(instance_.image(), *own_threads_),
      functions_(instance_, control_),
      inquiry_(std::make_shared<Inquiry>(functions_)) {
  owner_.form = spec_.form;
  owner_.erred = spec_.erred;
  owner_.leaves_invocations = [this](CallId id) { errands_.cancel_inside(id, registry::CancelReason::client); };
  const auto gone = [this](const std::string& cause) {
    running_.end_all(cause);
    owner_.give_up();
    if (spec_.status_changed) spec_.status_changed();
  };
  instance_.image().listen({.gone = gone, .erred = [this] { owner_.note_error(); }});
}

Generation::~Generation() {
  COLLET_ASSERT(!stuck_ && !instance_.created());
  control_.join();  // before the library is closed, which a failed open() has left behind
}

std::string Generation::inline_obstacle() const {
  return spec_.rules.inline_allowed ? elf_.inline_obstacle() : "the configuration says inline = false";
}

std::string Generation::item_problem() const {
  std::string problem = items_.last_error();
  return problem.empty() ? instance_.image().item_problem() : problem;
}

void Generation::put_on_probation(std::function<void()> given_up) {
  owner_.given_up = std::move(given_up);
  owner_.errors_left = limits::kProbationErrorsMax;
}

Result<void> Generation::leave(std::string what) {
  stuck_ = true;
  return error("{}", what);
}

// the beginning

void Generation::begin_open() {
  control_.start(spec_.name);
  control_.run([this] { open(); });
}

Result<void> Generation::finish_open(Clock::time_point deadline) {
  constexpr std::string_view kLate = "loading it, or its create(), has not returned in time";
  if (!control_.wait_or_kill(deadline, kLate)) return leave(fmt::format("{}; it is left alone", kLate));
  if (!opened_ && elf_.unloadable() && !own_threads_->wait()) {
    return leave(fmt::format("{}; {}", opened_.message(), own_threads_->describe()));
  }
  return opened_;
}

void Generation::open() {
  if (auto opened = instance_.open(); !opened) {
    opened_ = opened.failure();
    return;
  }
  if (instance_.has_flag(COLLET_PLUGIN_WORKER_ONLY) && !spec_.isolated && !in_worker()) {
    opened_ = error("{}", kWorkerOnly);
    return;
  }
  if (spec_.never_unload || instance_.has_flag(COLLET_PLUGIN_NEVER_UNLOAD)) instance_.image().pin();
  runner_.open();
  opened_ = create();
  if (opened_) return;
  loop_work_.close(Clock::time_point::max());
  errands_.end_all();
  errands_.close(Clock::time_point::max());
}

Result<void> Generation::create() {
  // That of a worker has been checked over there, where it counts.
  if (!in_worker()) {
    if (auto good = check_config(instance_.table().info, spec_.config, spec_.config_places); !good) return good;
  }
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
  const Result<std::int32_t> status = instance_.create(host_, params);
  if (!status) return status.failure();
  if (*status < 0) return create_errors_.failure(*status, items_);
  create_errors_.end();
  if (!in_worker()) errands_.open();
  items_.commit();
  return {};
}

bool Generation::reconfigure(const std::string& config, Clock::time_point deadline) {
  return check_config(instance_.table().info, config, {}) && functions_.reconfigure(config, deadline);
}

// its calls

CallId Generation::start(const registry::Call& call, registry::Listener& listener) {
  return runner_.start(call, listener);
}

void Generation::cancel(CallId id, registry::CancelReason reason) {
  if (calls_.mark_cancelled(id, owner_) != CallTable::Progressed::begun) return;
  errands_.cancel_inside(id, reason);
  instance_.tell_cancelled(id, reason);
}

void Generation::taken(CallId id, std::size_t bytes) {
  if (calls_.note_taken(id, owner_, bytes)) instance_.tell_taken(id, bytes);
}

void Generation::body(CallId id, std::string_view bytes, bool last) {
  if (calls_.add_body(id, owner_, bytes, last)) instance_.tell_body(id);
}

// the end

bool Generation::drain(const Patience& patience) {
  last_calls_.expect();
  if (last_calls_.wait_ended(patience.drain, true)) return true;
  log::warning("plugin {}: generation {} is to end, and asks {} of its calls to", owner_.name, spec_.number,
               running_.list().size());
  for (const RunningCall& call : running_.list()) cancel(call.id, registry::CancelReason::shutdown);
  return last_calls_.wait_ended(patience.grace, false);
}

void Generation::abandon_delivery() {
  loop_work_.abandon();
  last_calls_.abandon();  // last: who waits for it may find all of it done. Nobody destroys this meanwhile: see Drain::end()
}

Result<void> Generation::close(const Patience& patience) {
  COLLET_ASSERT(instance_.created() && !stuck_);
  items_.close();
  quiesce(patience.drain);
  drain(patience);
  runner_.close();
  const std::string unloaded = fmt::format("plugin {} was unloaded before the call ended", owner_.name);
  running_.end_all(unloaded);
  errands_.end_all();  // an executor may wait for them
  const auto deadline = Clock::now() + patience.end;
  if (!runner_.join_until(deadline)) return leave("its call() has not returned");
  running_.end_all(unloaded);  // what an executor had taken, but not yet begun, a moment ago
  if (!loop_work_.close(deadline)) return leave("what it runs on a loop has not returned");
  if (!errands_.close(deadline)) return leave("what it does with an answer has not returned");
  instance_.end_telling();
  if (!inquiry_->end_by(deadline)) return leave("its status() has not returned");
  control_.run([this] { instance_.destroy(); });
  constexpr std::string_view kLate = "its destroy() has not returned";
  if (!control_.wait_or_kill(deadline, kLate)) return leave(std::string(kLate));
  control_.join();
  if (refusals_) refusals_->note_blobs_left(blobs_.count());
  return unload();
}

// When all threads of the generation have been joined.
Result<void> Generation::unload() {
  const bool pinned = spec_.never_unload || instance_.has_flag(COLLET_PLUGIN_NEVER_UNLOAD);
  if (!pinned && elf_.unloadable() && !own_threads_->wait()) return leave(own_threads_->describe());
  {
    const OwnThreads::Inside inside = instance_.enter({crash::kInUnloading});
    if (instance_.image().close()) return {};
  }
  mapped_because_ = pinned              ? "it is to stay loaded (NEVER_UNLOAD)"
                    : elf_.unloadable() ? "perhaps a thread that is not its own has thread-local data of it"
                                        : elf_.warnings.front();
  if (!pinned && !spec_.isolated) {  // a process of its own ends with it
    log::warning("plugin {}: its library is still mapped after it was closed: {}", owner_.name, mapped_because_);
  }
  return {};
}

}  // namespace collet::plugin
