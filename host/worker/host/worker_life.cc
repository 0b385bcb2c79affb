// The thread of a WorkerImage: what the worker says, and its life and death.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/log.h"
#include "base/text.h"
#include "worker/host/worker_image.h"
#include "worker/talk/open_order.h"
#include "worker/walls/missing.h"

namespace collet::worker {
namespace {

using plugin::Clock;

// A worker's own words, fit for a log.
std::string quoted(std::string_view words) {
  return std::string(text::Utf8(words.substr(0, limits::kWorkerReasonBytesMax)).view());
}

std::vector<std::string> variables(const Permissions& may) {
  std::vector<std::string> all;
  for (const std::string& name : may.environment) {
    if (const char* value = std::getenv(name.c_str())) all.push_back(name + '=' + value);
  }
  if (!may.hosts.empty())
    all.emplace_back("RES_OPTIONS=use-vc");  // names are asked for over TCP, the one way there is
  return all;
}

// Returns what cannot be enforced, or empty: the process runs in `group` from now on.
std::string join_group(ControlGroups& groups, const Permissions& may, const Process& process, ControlGroup& group) {
  auto made = groups.make(may);
  const Result<void> added = made ? made->add(process.pid()) : Result<void>(made.failure());
  if (!added) return fmt::format("a control group ({})", added.message());
  group = std::move(*made);
  return {};
}

}  // namespace

void WorkerImage::look_after() {
  for (;;) {
    const std::string cause = run_once();
    if (host_) events_.gone(fmt::format("plugin {}: {}", order_.name, cause));
    if (!wait_to_restart(cause)) return;
  }
}

// From the start of a process to its end; returns why it ended.
std::string WorkerImage::run_once() {
  started_ = Clock::now();
  auto running = start();
  std::string cause = running ? std::string() : running.message();
  if (running) {
    serve(*running);
    if (!running->ended) running->process.kill();
    std::string end = running->process.reap();
    running->log.reset();
    const std::uint64_t most = order_.permissions.cpu_seconds_max;
    if (running->process.ended_for_cpu(most)) {
      end += fmt::format(", as it had used the {0} s of plugin.{1}.permissions.cpu_seconds_max = {0}", most,
                         order_.name);
    }
    if (running->group && running->group.has_run_out()) {
      end += fmt::format(", as it had used the {} bytes of plugin.{}.permissions.memory_bytes_max",
                         order_.permissions.memory_bytes_max, order_.name);
    }
    cause = running->refusal.empty() ? "its worker process " + end : running->refusal;
    running->guard.reset();
    begin_errands(0);
  }
  const std::lock_guard lock(mutex_);
  if (state_ != State::closing) {
    state_ = State::down;
    kill_reason_.clear();  // of this process
  }
  socket_ = -1;
  spawned_ = pid_ = 0;
  cause_ = cause;
  outgoing_.clear();
  overdue_.clear();
  denials_ = {};
  questions_.give_up();
  changed_.notify_all();
  return cause;
}

Result<WorkerImage::Running> WorkerImage::start() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return error("cannot make a socket for a worker process: {}", std::strerror(errno));
  }
  Running running;
  running.socket = Descriptor(ends[0]);
  const Descriptor theirs(ends[1]);
  auto process = Process::spawn(options_.executable, theirs, arena_.descriptor(), variables(order_.permissions));
  if (!process) return process.failure();
  running.process = std::move(*process);
  Missing missing;
  missing.add(options_.unenforced);
  if (options_.groups) missing.add(join_group(*options_.groups, order_.permissions, running.process, running.group));
  running.log = std::make_unique<WorkerLog>(order_.name, running.process.take_output());
  if (host_) replay_->take_read();  // of the process before
  items_.begin(incarnation_ + 1);
  begin_errands(incarnation_ + 1);
  const std::lock_guard lock(mutex_);
  socket_ = running.socket.get();
  spawned_ = pid_ = running.process.pid();
  ++incarnation_;
  OpenOrder order{.name = order_.name,
                  .library = path_,
                  .view = order_.file.view(),
                  .config = order_.config,
                  .number = order_.number,
                  .permissions = order_.permissions,
                  .log_level = options_.log_level,
                  .unenforced = missing.words(),
                  .threads_are_counted = running.group.limits_threads(),
                  .debug = options_.debug};
  if (order_.prior && !opened_once_) {  // what a process had that has died is lost
    order.prior = order_.prior->bytes;
    order.prior_version = order_.prior->version;
  }
  std::string frame;
  append(frame, order);
  static_cast<void>(send(frame));
  return running;
}

void WorkerImage::begin_errands(std::uint32_t incarnation) {
  peer_errands_.begin(incarnation);
  record_errands_.begin(incarnation);
  stream_errands_.begin(incarnation);
  fetch_errands_.begin(incarnation);
}

// Until the process has ended, or is to be.
void WorkerImage::serve(Running& running) {
  for (;;) {
    bool more;
    {
      const std::lock_guard lock(mutex_);
      more = !outgoing_.empty();
    }
    const short interest = static_cast<short>(POLLIN | (more ? POLLOUT : 0));
    pollfd waiting[] = {{running.socket.get(), interest, 0},
                        {running.process.ended(), POLLIN, 0},
                        {wake_.get(), POLLIN, 0},
                        {running.log->descriptor(), POLLIN, 0}};
    if (poll(waiting, std::size(waiting), wait_ms()) < 0 && errno != EINTR) return;
    if (waiting[2].revents) {
      std::uint64_t count;
      static_cast<void>(!read(wake_.get(), &count, sizeof count));
    }
    if (waiting[3].revents) running.log->read();
    running.ended = waiting[1].revents != 0;
    try {
      if (waiting[0].revents & (POLLIN | POLLHUP | POLLERR)) receive(running);
    } catch (const std::bad_alloc&) {
      running.refusal = "its worker process was killed: the server is out of memory, and cannot read what it says";
    }
    if (waiting[0].revents & POLLOUT) flush();
    if (running.refusal.empty() && !running.ended) {
      if (std::string reason = find_reason_to_kill(running); !reason.empty()) {
        running.refusal = "its worker process was killed: " + reason;
      }
    }
    if (running.ended || !running.refusal.empty()) return;
  }
}

// Until something is to be done that nobody tells of.
int WorkerImage::wait_ms() const {
  const std::lock_guard lock(mutex_);
  auto until = Clock::time_point::max();
  if (state_ == State::starting || state_ == State::down) {
    until = started_ + std::chrono::milliseconds(options_.start_timeout_ms);
  }
  if (!overdue_.empty()) until = std::min(until, overdue_.front().first);
  if (until == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<long>(left, 0, 60'000));
}

std::string WorkerImage::find_reason_to_kill(const Running& running) {
  const std::lock_guard lock(mutex_);
  if (!kill_reason_.empty()) return kill_reason_;
  const auto now = Clock::now();
  if (!running.opened && now >= started_ + std::chrono::milliseconds(options_.start_timeout_ms)) {
    return "loading it, or its create(), has not returned in time";
  }
  while (!overdue_.empty() && overdue_.front().first <= now) {
    const collet_call call = overdue_.front().second;
    overdue_.pop_front();
    if (host_.load()->is_cancelled(host_, call) != COLLET_E_STALE) {
      return fmt::format("a call has not ended {} ms after its deadline", options_.hang_ms);
    }
  }
  return {};
}

// All that is there, also what the process has left behind.
void WorkerImage::receive(Running& running) {
  for (;;) {
    std::size_t room;
    char* at = running.input.room(room);
    const bool first = !running.guard && !running.opened;
    const ssize_t size =
        first ? receive_first(running, at, room) : recv(running.socket.get(), at, room, MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) {
      // At its end the process ends too; if it does not it is of no use any more.
      if (size == 0 && !running.ended) {
        pollfd end{running.process.ended(), POLLIN, 0};
        running.ended = poll(&end, 1, static_cast<int>(options_.exit_ms)) > 0;
        if (!running.ended) running.refusal = "its worker process was killed: it closed its connection and went on";
      }
      return;
    }
    running.input.filled(static_cast<std::size_t>(size));
    while (const auto frame = running.input.next()) {
      const std::string reason = take(running, *frame);
      if (!reason.empty()) running.refusal = "its worker process was killed: " + reason;
      if (!running.refusal.empty()) return;
    }
    if (running.input.broken()) {
      running.refusal = "its worker process was killed: it sent a frame that is larger than the limit";
      return;
    }
    if (static_cast<std::size_t>(size) < room && !running.ended) return;
  }
}

// As recv(). Takes the descriptor that comes before any code of the plugin can run; later ones are the kernel's to
// close.
ssize_t WorkerImage::receive_first(Running& running, char* to, std::size_t room) {
  iovec bytes{to, room};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  const ssize_t size = recvmsg(running.socket.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  const cmsghdr* rights = size > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (!rights || rights->cmsg_type != SCM_RIGHTS || rights->cmsg_len != CMSG_LEN(sizeof(int))) return size;
  int listener;
  std::memcpy(&listener, CMSG_DATA(rights), sizeof listener);
  running.guard =
      std::make_unique<Guard>(Descriptor(listener),
                              GuardOrder{.name = order_.name,
                                         .view = order_.file.view(),
                                         .permissions = order_.permissions,
                                         .denied = [this](const std::string& denial) { note_denial(denial); }});
  return size;
}

// Says it once, and keeps it for the call that it is of, if that can be known.
void WorkerImage::note_denial(const std::string& denial) {
  {
    const std::lock_guard lock(mutex_);
    if (!denials_.note(denial)) return;
  }
  log::warning("{}", denial);
}

void WorkerImage::flush() {
  const std::lock_guard lock(mutex_);
  const std::string_view left = outgoing_.front();
  const ssize_t sent = ::send(socket_, left.data(), left.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) outgoing_.drop(static_cast<std::size_t>(sent));
}

// Whether another process is to be started.
bool WorkerImage::wait_to_restart(const std::string& cause) {
  std::unique_lock lock(mutex_);
  const auto end = [&] {
    state_ = State::closed;
    changed_.notify_all();
    return false;
  };
  const auto closing = [&] { return state_ == State::closing; };
  if (closing() || !opened_once_) return end();
  const auto delay = restarts_.after(Clock::now() - started_);
  if (!delay) {
    state_ = State::quarantined;
    log::error("plugin {}: {}; it has failed {} times, and is not started again before `collet reload {}`",
               order_.name, cause, restarts_.failures(), order_.name);
    changed_.wait(lock, closing);
    return end();
  }
  log::error("plugin {}: {}; it is started again{}", order_.name, cause,
             delay->count() > 0 ? fmt::format(" in {} ms", delay->count()) : "");
  if (changed_.wait_for(lock, *delay, closing)) return end();
  return true;
}

// what it says

std::string WorkerImage::take(Running& running, const FrameBuffer::Frame& frame) {
  switch (frame.head.type) {
    case FrameType::opened:
      return take_opened(running, frame.body);
    case FrameType::items:
      return items_.take_items(frame.body, running.opened);
    case FrameType::end:
    case FrameType::progress:
    case FrameType::log:
    case FrameType::close_stream:
    case FrameType::answer_head:
    case FrameType::answer_bytes:
      return take_of_call(frame);
    case FrameType::resource_updated:
      return host_ ? replay_->resource_updated(frame.body) : std::string();
    case FrameType::status_changed:
      if (host_) replay_->status_changed();
      return {};
    case FrameType::instructions:
      return items_.take_instructions(frame.body, running.opened);
    case FrameType::erred:
      if (host_) events_.erred();
      return {};
    case FrameType::asking:
      return running.guard && !running.opened ? std::string() : no_frame("part of its start");
    case FrameType::invoke:
    case FrameType::cancel_invocation:
    case FrameType::list:
    case FrameType::watch_items:
      return peer_errands_.take(frame.head, frame.body);
    case FrameType::record_get:
    case FrameType::record_put:
    case FrameType::record_remove:
    case FrameType::record_list:
      return record_errands_.take(frame.head, frame.body);
    case FrameType::event_append:
    case FrameType::event_read:
    case FrameType::follow_next:
    case FrameType::unfollow:
      return stream_errands_.take(frame.head, frame.body);
    case FrameType::fetch:
    case FrameType::fetch_taken:
    case FrameType::cancel_fetch:
      return fetch_errands_.take(frame.head, frame.body);
    case FrameType::answer:
      return questions_.take(frame.head.id, frame.body);
    default:
      return fmt::format("it sent a frame of the unknown type {}", static_cast<unsigned>(frame.head.type));
  }
}

std::string WorkerImage::take_opened(Running& running, std::string_view body) {
  FieldReader fields(body);
  const auto failed = fields.text_or_nothing();
  const std::string_view id = fields.text();
  const std::string_view version = fields.text();
  const std::string_view info = fields.text();
  const auto flags = fields.number<std::uint32_t>();
  const auto save_version = fields.number<std::uint32_t>();
  const auto offered = fields.number<std::uint8_t>();
  const std::string_view item_problem = fields.text();
  const std::string_view unconfined = fields.text();
  if (!fields.complete() || running.opened) return no_frame("answer to being started");
  if (failed) {
    running.refusal = quoted(*failed);
    return {};
  }
  running.opened = true;
  if (!unconfined.empty()) {
    log::warning("plugin {}: this system does not confine its worker in full: {}", order_.name, quoted(unconfined));
  }
  if (!opened_once_) {
    collet_plugin said{};
    said.struct_size = sizeof said;
    said.flags = flags;
    said.id = {id.data(), id.size()};
    said.version = {version.data(), version.size()};
    if (!info.empty()) said.info = {info.data(), info.size()};
    said.create = [](const collet_host*, const collet_create_params*, void**) -> std::int32_t {
      return COLLET_E_UNSUPPORTED;  // see WorkerImage::create()
    };
    said.destroy = destroy;
    said.call = call_plugin;
    said.cancel = cancel_call;
    said.quiesce = quiesce;
    auto table = plugin::read_plugin_table(&said);
    if (!table) return table.message();
    table_ = std::move(*table);
    table_.functions.id = table_.functions.version = table_.functions.info = {};  // the texts were the frame's
    if (offered & kSavesState) save_state_ = {sizeof save_state_, save_version, save};
    if (offered & kReconfigures) reconfigure_ = {sizeof reconfigure_, 0, reconfigure};
    if (offered & kReportsStatus) status_ = {sizeof status_, 0, status};
    if (offered & kWatches) watch_ = {sizeof watch_, 0, watch};
  } else {
    items_.adopt();
  }
  const std::lock_guard lock(mutex_);
  opened_once_ = true;
  item_problem_ = quoted(item_problem);
  std::string watches;  // what the process before was told
  for (const std::string& uri : watched_) append_watch(watches, uri, true);
  static_cast<void>(send(watches));
  pid_ = process_of_library(pid_);
  if (state_ != State::closing) state_ = State::up;
  changed_.notify_all();
  return {};
}

std::string WorkerImage::take_of_call(const FrameBuffer::Frame& frame) {
  const collet_call call = frame.head.id;
  if (!host_ || host_.load()->is_cancelled(host_, call) == COLLET_E_STALE) {
    const std::lock_guard lock(mutex_);
    if (quiescing_) return {};
    return fmt::format("it spoke of the call {:x}, which is none of its own or has ended", call);
  }
  if (frame.head.type == FrameType::progress) return replay_->progress(call, frame.body);
  if (frame.head.type == FrameType::log) return replay_->log(call, frame.body);
  if (frame.head.type == FrameType::close_stream) return replay_->close_stream(call, frame.body);
  if (frame.head.type == FrameType::answer_head) return replay_->answer_head(call, frame.body);
  if (frame.head.type == FrameType::answer_bytes) return replay_->answer_bytes(call, frame.body);
  std::string denial;
  {
    const std::lock_guard lock(mutex_);
    denial = denials_.call_ended(call);
  }
  std::string reason = replay_->end(call, frame.body, denial);
  const std::vector<std::uint64_t> read = replay_->take_read();
  if (read.empty()) return reason;
  std::string done;
  for (const std::uint64_t offset : read) FrameWriter(done, FrameType::blob_done, offset);
  const std::lock_guard lock(mutex_);
  if (!send(done) && reason.empty()) reason = "it does not take what it is sent";
  return reason;
}

}  // namespace collet::worker
