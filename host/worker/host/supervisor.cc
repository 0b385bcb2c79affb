#include "worker/host/supervisor.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "plugin/crash/report.h"
#include "worker/host/process.h"
#include "worker/talk/open_order.h"

namespace collet::worker {
namespace {

using plugin::Clock;
using plugin::PrivateFile;
namespace crash = plugin::crash;

// A worker's own words, fit for a log.
std::string quoted(std::string_view words) {
  return std::string(text::Utf8(words.substr(0, limits::kWorkerReasonBytesMax)).view());
}

}  // namespace

Supervisor::Supervisor(Tools tools, Listener listener)
    : order_(tools.order),
      options_(tools.options),
      arena_(tools.arena),
      link_(tools.link),
      router_(tools.router),
      processes_(tools.processes),
      now_(std::move(tools.now)),
      listener_(std::move(listener)),
      restarts_(options_.restarts),
      config_(order_.config) {}

Supervisor::~Supervisor() {
  kill("it is no longer wanted");
  join();
}

Result<void> Supervisor::start() {
  disk_ = watch_disk();
  std::unique_lock lock(mutex_);
  if (state_ != State::down) return error("its worker process was stopped before it was started");
  state_ = State::starting;
  thread_ = plugin::start_thread(order_.name, [this] { look_after(); });
  changed_.wait(lock, [&] { return state_ == State::up || state_ == State::closed; });
  if (state_ == State::up) return {};
  return error("{}", cause_);
}

std::unique_ptr<DiskWatch> Supervisor::watch_disk() {
  const Permissions& may = order_.permissions;
  if (may.write.empty() || may.disk_bytes_max == 0) return nullptr;
  const auto processes = [this] {
    pid_t spawned;
    {
      const std::lock_guard lock(mutex_);
      spawned = spawned_;
    }
    return spawned ? with_descendants(spawned) : std::vector<pid_t>();
  };
  const auto exceeded = [this](const std::string& reason) {
    link_.condemn(fmt::format("{} (plugin.{}.permissions.disk_bytes_max = {})", reason, order_.name,
                              order_.permissions.disk_bytes_max));
  };
  return std::make_unique<DiskWatch>(DiskOrder{may.write, may.disk_bytes_max, processes, exceeded});
}

// how it is

void Supervisor::set_config(std::string_view config) {
  const std::lock_guard lock(mutex_);
  config_ = config;
}

bool Supervisor::is_quarantined() const {
  const std::lock_guard lock(mutex_);
  return state_ == State::quarantined;
}

std::string Supervisor::down_words() const {
  const std::lock_guard lock(mutex_);
  if (state_ == State::quarantined) {
    return fmt::format("{}; that was once too often, and it is not started again before `collet reload {}`", cause_,
                       order_.name);
  }
  return fmt::format("{}; it is being started again", cause_);
}

std::string Supervisor::condition() const {
  const std::lock_guard lock(mutex_);
  if (state_ == State::up && incarnation_ == 1) return fmt::format("process {}", pid_);
  if (state_ == State::up) {
    return fmt::format("process {}, restarts: {}, the last because {}", pid_, incarnation_ - 1, cause_);
  }
  if (state_ == State::quarantined) return fmt::format("in quarantine: {}", cause_);
  return cause_.empty() ? "not running" : fmt::format("not running: {}", cause_);
}

std::string Supervisor::item_problem() const {
  const std::lock_guard lock(mutex_);
  return item_problem_;
}

std::vector<std::string> Supervisor::last_end() const {
  const std::lock_guard lock(mutex_);
  return last_end_;
}

// the end

void Supervisor::stop() {
  std::unique_lock lock(mutex_);
  if (state_ != State::closed) state_ = thread_.joinable() ? State::closing : State::closed;
  link_.ask_to_end();
  changed_.notify_all();
  changed_.wait(lock, [&] { return state_ == State::closed; });
}

void Supervisor::kill(std::string_view why) {
  const std::lock_guard lock(mutex_);
  if (state_ == State::closed) return;
  state_ = thread_.joinable() ? State::closing : State::closed;
  link_.kill(why);
  changed_.notify_all();
}

void Supervisor::join() {
  if (thread_.joinable()) thread_.join();
}

// one process and the next

void Supervisor::look_after() {
  for (;;) {
    const std::string cause = run_once();
    listener_.gone(cause);
    tell_place();
    if (!wait_to_restart(cause)) return;
  }
}

// From the start of a process to its end; returns why it ended.
std::string Supervisor::run_once() {
  started_ = now_();
  const auto running = start_process();
  std::string cause = running ? std::string() : running.message();
  if (running) {
    serve(**running);
    cause = (*running)->end();
    router_.end();
  }
  const std::lock_guard lock(mutex_);
  if (state_ != State::closing) state_ = State::down;
  spawned_ = pid_ = 0;
  cause_ = cause;
  link_.end();
  changed_.notify_all();
  return cause;
}

Result<std::unique_ptr<RunningWorker>> Supervisor::start_process() {
  crash::clear_record(arena_.descriptor(), ArenaView::kRecordOffset);
  auto started = RunningWorker::start(order_, options_, processes_, arena_.descriptor(),
                                      [this](const std::string& denial) { note_denial(denial); });
  if (!started) return started;
  const RunningWorker& running = **started;
  router_.begin(incarnation_ + 1);
  const std::lock_guard lock(mutex_);
  spawned_ = pid_ = running.pid();
  ++incarnation_;
  OpenOrder order{.name = order_.name,
                  .library = order_.file.path(),
                  .view = order_.file.view(),
                  .config = config_,
                  .config_places = order_.config_places,
                  .number = order_.number,
                  .permissions = order_.permissions,
                  .log_level = options_.log_level,
                  .unenforced = running.unenforced(),
                  .threads_are_counted = running.threads_are_counted(),
                  .debug = options_.debug};
  if (order_.prior && !opened_once_) {  // what a process had that has died is lost
    order.prior = order_.prior->bytes;
    order.prior_version = order_.prior->version;
  }
  std::string frame;
  append(frame, order);
  link_.begin(running.socket(), incarnation_, frame);
  return started;
}

// Until the process has ended, or is to be.
void Supervisor::serve(RunningWorker& running) {
  while (running.is_of_use()) {
    const ProcessLink::Wanted wanted = link_.wanted();
    const short interest = static_cast<short>(POLLIN | (wanted.flush ? POLLOUT : 0));
    pollfd waiting[] = {{running.socket(), interest, 0},
                        {running.ended(), POLLIN, 0},
                        {link_.wake_descriptor(), POLLIN, 0},
                        {running.output(), POLLIN, 0}};
    if (poll(waiting, std::size(waiting), wait_ms(running, wanted.until)) < 0 && errno != EINTR) return;
    if (waiting[2].revents) link_.woken();
    if (waiting[3].revents) running.read_output();
    running.set_ended(waiting[1].revents != 0);
    try {
      if (waiting[0].revents & (POLLIN | POLLHUP | POLLERR)) {
        running.receive([&](const FrameBuffer::Frame& frame) { return take(running, frame); });
      }
    } catch (const std::bad_alloc&) {
      running.condemn("the server is out of memory, and cannot read what it says");
    }
    if (waiting[0].revents & POLLOUT) link_.flush();
    if (!running.is_of_use()) return;
    if (const std::string reason = find_reason_to_kill(running); !reason.empty()) running.condemn(reason);
  }
}

// Until something is to be done that nobody tells of.
int Supervisor::wait_ms(const RunningWorker& running, Clock::time_point until) const {
  if (!running.is_open()) until = std::min(until, started_ + std::chrono::milliseconds(options_.start_timeout_ms));
  if (until == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now_()).count();
  return static_cast<int>(std::clamp<long>(left, 0, 60'000));
}

std::string Supervisor::find_reason_to_kill(const RunningWorker& running) {
  std::string reason = link_.reason_to_kill();
  if (!reason.empty()) return reason;
  if (!running.is_open() && now_() >= started_ + std::chrono::milliseconds(options_.start_timeout_ms)) {
    return "loading it, or its create(), has not returned in time";
  }
  return {};
}

// Says it once, and keeps it for the call that it is of, if that can be known.
void Supervisor::note_denial(const std::string& denial) {
  if (link_.note_denial(denial)) log::warning("{}", denial);
}

// Where the process has ended, if it could still say that.
void Supervisor::tell_place() {
  const auto record = crash::take_record(arena_.descriptor(), ArenaView::kRecordOffset);
  if (!record) return;
  const PrivateFile& file = order_.file;
  const auto lines =
      crash::describe(*record, {.original = order_.library, .copy = file.path(), .view = file.view()}, options_.executable);
  for (const std::string& line : lines) log::error("plugin {}: {}", order_.name, line);
  const std::lock_guard lock(mutex_);
  last_end_ = lines;
}

// Whether another process is to be started.
bool Supervisor::wait_to_restart(const std::string& cause) {
  std::unique_lock lock(mutex_);
  const auto end = [&] {
    state_ = State::closed;
    changed_.notify_all();
    return false;
  };
  const auto closing = [&] { return state_ == State::closing; };
  if (closing() || !opened_once_) return end();
  const auto delay = restarts_.after(now_() - started_);
  if (!delay) {
    state_ = State::quarantined;
    log::error("plugin {}: {}; it has failed {} times, and is not started again before `collet reload {}`",
               order_.name, cause, restarts_.failures(), order_.name);
    changed_.wait(lock, closing);
    return end();
  }
  log::error("plugin {}: {}; it is started again{}", order_.name, cause,
             delay->count() > 0 ? fmt::format(" in {} ms", delay->count()) : "");
  const Clock::time_point due = now_() + *delay;
  while (!closing() && now_() < due) changed_.wait_for(lock, due - now_());
  return closing() ? end() : true;
}

// what it says

std::string Supervisor::take(RunningWorker& running, const FrameBuffer::Frame& frame) {
  switch (frame.head.type) {
    case FrameType::opened:
      return take_opened(running, frame.body);
    case FrameType::asking:
      return running.has_guard() && !running.is_open() ? std::string() : no_frame("part of its start");
    default:
      return router_.take(frame, running.is_open());
  }
}

std::string Supervisor::take_opened(RunningWorker& running, std::string_view body) {
  const auto opened = read_opened(body);
  if (!opened || running.is_open()) return no_frame("answer to being started");
  if (opened->failed) {
    if (!opened_once_ && listener_.refused) listener_.refused(opened->info);
    running.give_up(quoted(*opened->failed));
    return {};
  }
  running.set_open();
  if (!opened->unenforced.empty()) {
    log::warning("plugin {}: this system does not confine its worker in full: {}", order_.name,
                 quoted(opened->unenforced));
  }
  if (opened_once_) {
    router_.adopt_items();
  } else if (std::string reason = listener_.opened(*opened); !reason.empty()) {
    return reason;
  }
  const std::lock_guard lock(mutex_);
  opened_once_ = true;
  item_problem_ = quoted(opened->item_problem);
  pid_ = running.pid_of_library();
  if (state_ != State::closing) {
    link_.come_up();
    state_ = State::up;
  }
  changed_.notify_all();
  return {};
}

}  // namespace collet::worker
