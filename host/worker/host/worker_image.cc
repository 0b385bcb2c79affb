#include "worker/host/worker_image.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "plugin/abi/caller_info.h"
#include "plugin/abi/structs.h"
#include "plugin/run/call_table.h"
#include "worker/talk/open_order.h"
#include "worker/talk/web_frame.h"

namespace collet::worker {
namespace {

WorkerImage& image_of(void* self) { return *static_cast<WorkerImage*>(self); }

// All that is known of the caller, by its key's place: asking for it later would need a call back into a host that may have moved on.
void append_info(FrameWriter& frame, const collet_host& host, collet_call call) {
  constexpr auto& kKeys = plugin::CallerInfo::kKeys;
  for (std::uint8_t i = 0; i < std::size(kKeys); ++i) {
    collet_str known{};
    host.call_info(&host, call, kKeys[i].data(), kKeys[i].size(), &known);
    if (known.data) frame.number(i).text(plugin::view(known));
  }
}

}  // namespace

WorkerImage::WorkerImage(plugin::WorkerOrder order, WorkerOptions options)
    : order_(std::move(order)), options_(std::move(options)), path_(order_.file.path()), restarts_(options_.restarts) {}

WorkerImage::~WorkerImage() {
  kill("it is no longer wanted");
  close();
}

Result<void> WorkerImage::open() {
  auto arena = ArenaView::create();
  if (!arena) return arena.failure();
  arena_ = std::move(*arena);
  wake_ = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) return error("cannot look after a worker process: {}", std::strerror(errno));
  disk_ = watch_disk();
  std::unique_lock lock(mutex_);
  if (state_ != State::down) return error("its worker process was stopped before it was started");
  state_ = State::starting;
  thread_ = plugin::start_thread(order_.name, [this] { look_after(); });
  changed_.wait(lock, [&] { return state_ == State::up || state_ == State::closed; });
  if (state_ == State::up) return {};
  return error("{}", cause_);
}

std::unique_ptr<DiskWatch> WorkerImage::watch_disk() {
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
    const std::lock_guard lock(mutex_);
    if (pid_ == 0 || !kill_reason_.empty()) return;
    kill_reason_ = fmt::format("{} (plugin.{}.permissions.disk_bytes_max = {})", reason, order_.name,
                               order_.permissions.disk_bytes_max);
    wake();
  };
  return std::make_unique<DiskWatch>(DiskOrder{may.write, may.disk_bytes_max, processes, exceeded});
}

std::int32_t WorkerImage::create(const collet_host& host, const collet_create_params&, void** self) {
  replay_ = std::make_unique<Replay>(host, arena_);
  host_ = &host;
  items_.attach(host, *replay_);
  peer_errands_.attach(host);
  record_errands_.attach(host);
  stream_errands_.attach(host);
  fetch_errands_.attach(host);
  *self = this;
  return COLLET_OK;
}

const void* WorkerImage::get_extension(std::string_view id) {
  if (id == COLLET_EXT_SAVE_STATE && save_state_.save) return &save_state_;
  if (id == COLLET_EXT_RECONFIGURE && reconfigure_.reconfigure) return &reconfigure_;
  if (id == COLLET_EXT_STATUS && status_.status) return &status_;
  if (id == COLLET_EXT_WATCH && watch_.watch) return &watch_;
  static constexpr collet_http_watch kHttpWatch{sizeof(collet_http_watch), 0, taken};
  if (id == COLLET_EXT_HTTP) return &kHttpWatch;
  return nullptr;
}

bool WorkerImage::given_up() const {
  const std::lock_guard lock(mutex_);
  return state_ == State::quarantined;
}

std::string WorkerImage::condition() const {
  const std::lock_guard lock(mutex_);
  if (state_ == State::up && incarnation_ == 1) return fmt::format("process {}", pid_);
  if (state_ == State::up) {
    return fmt::format("process {}, restarts: {}, the last because {}", pid_, incarnation_ - 1, cause_);
  }
  if (state_ == State::quarantined) return fmt::format("in quarantine: {}", cause_);
  return cause_.empty() ? "not running" : fmt::format("not running: {}", cause_);
}

std::string WorkerImage::item_problem() const {
  const std::lock_guard lock(mutex_);
  return item_problem_;
}

// calls

std::int32_t WorkerImage::call_plugin(void* self, collet_call call, const collet_call_params* params) {
  return image_of(self).pass_on(call, *params);
}

std::int32_t WorkerImage::pass_on(collet_call call, const collet_call_params& params) {
  const auto item = ItemMirror::Handle::of(params.item_user);
  thread_local std::string buffer;
  buffer.clear();
  {
    FrameWriter frame(buffer, FrameType::call, call);
    frame.number(item.worker_id).number(params.kind).number(params.round).number(params.state_version);
    frame.number(params.deadline_ms).text(plugin::view(params.name));
    for (const collet_str* text : {&params.arguments, &params.variables, &params.input_responses, &params.state}) {
      frame.text_or_nothing(plugin::optional_view(*text));
    }
    if (params.kind == COLLET_ROUTE) frame.text(web_request_field(*host_, call));
    append_info(frame, *host_, call);
  }
  std::string reason;
  {
    const std::lock_guard lock(mutex_);
    // What ended while its process did must not reach the next one.
    if (host_.load()->is_cancelled(host_, call) == COLLET_E_STALE) return COLLET_OK;
    if (state_ != State::up || item.incarnation != incarnation_) {
      reason = down_words();
    } else if (!send(buffer)) {
      reason = kill_reason_.empty() ? "too many calls of it are waiting" : kill_reason_;
    } else {
      denials_.call_began(call);
    }
  }
  if (buffer.capacity() > limits::kWorkerReadBytes) std::string().swap(buffer);
  if (!reason.empty()) {
    reason = fmt::format("plugin {}: {}", order_.name, reason);
    host_.load()->fail(host_, call, plugin::kInternalError, reason.data(), reason.size(), nullptr, 0);
  }
  return COLLET_OK;
}

// Why there is nobody to answer.
std::string WorkerImage::down_words() const {
  if (state_ == State::quarantined) {
    return fmt::format("{}; that was once too often, and it is not started again before `collet reload {}`", cause_,
                       order_.name);
  }
  return fmt::format("{}; it is being started again", cause_);
}

void WorkerImage::cancel_call(void* self, collet_call call, std::uint32_t reason) {
  WorkerImage& image = image_of(self);
  std::string buffer;
  FrameWriter(buffer, FrameType::cancel, call).number(reason);
  const std::lock_guard lock(image.mutex_);
  if (image.state_ != State::up) return;
  if (reason == COLLET_CANCEL_DEADLINE) {
    image.overdue_.emplace_back(plugin::Clock::now() + std::chrono::milliseconds(image.options_.hang_ms), call);
    image.wake();
  }
  static_cast<void>(image.send(buffer));
}

void WorkerImage::taken(void* self, collet_call call, std::size_t bytes) {
  WorkerImage& image = image_of(self);
  std::string frame;
  FrameWriter(frame, FrameType::taken, call).number(std::uint64_t{bytes});
  const std::lock_guard lock(image.mutex_);
  if (image.state_ != State::up || image.send(frame) || !image.kill_reason_.empty()) return;
  image.kill_reason_ = "it does not take what it is sent";
  image.wake();
}

// With mutex_. False if too much waits already.
bool WorkerImage::send(std::string_view frames) {
  if (outgoing_.size() + frames.size() > limits::kWorkerQueueBytesMax) return false;
  if (outgoing_.empty()) {
    const ssize_t sent = ::send(socket_, frames.data(), frames.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) frames.remove_prefix(static_cast<std::size_t>(sent));
    if (frames.empty()) return true;
    wake();
  }
  try {
    outgoing_.append(frames);
  } catch (const std::bad_alloc&) {  // of a frame of which a part is sent the rest cannot be left out
    kill_reason_ = "the server is out of memory, and cannot tell it what it is to do";
    wake();
    return false;
  }
  return true;
}

// Any thread. To a process that is gone all is sent.
bool WorkerImage::send_to(std::uint32_t incarnation, std::string_view frames, Errands::Need need) {
  const std::lock_guard lock(mutex_);
  if (socket_ < 0 || incarnation != incarnation_ || !kill_reason_.empty() || send(frames)) return true;
  if (need == Errands::Need::may_be_lost && kill_reason_.empty()) return false;
  if (kill_reason_.empty()) kill_reason_ = "it does not take what it is sent";
  wake();
  return true;
}

// questions

Questions::Answer WorkerImage::ask(FrameType type, std::string_view text, std::optional<std::uint64_t> at_most_ms) {
  Questions::Number question;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::up) return {};
    question = questions_.add();
    std::string frame;
    FrameWriter(frame, type, question).text(text);
    if (!send(frame)) at_most_ms = 0;  // nobody will answer
  }
  return questions_.wait(question, at_most_ms);
}

std::int32_t WorkerImage::save(void* self, collet_state_write write, void* to) {
  const Questions::Answer answer = image_of(self).ask(FrameType::save_state);
  if (answer.status < 0) return answer.status;
  const std::int32_t written = write(to, answer.bytes.data(), answer.bytes.size());
  return written < 0 ? written : answer.status;
}

std::int32_t WorkerImage::reconfigure(void* self, const char* config, std::size_t size) {
  WorkerImage& image = image_of(self);
  const Questions::Answer answer = image.ask(FrameType::reconfigure, std::string_view(config, size));
  if (answer.status >= 0) {
    const std::lock_guard lock(image.mutex_);
    image.order_.config.assign(config, size);  // of its next process
  }
  return answer.status;
}

std::int32_t WorkerImage::status(void* self, void (*take)(void*, const char*, std::size_t), void* context) {
  WorkerImage& image = image_of(self);
  const Questions::Answer answer = image.ask(FrameType::status, {}, image.options_.status_ms);
  if (answer.status >= 0) take(context, answer.bytes.data(), answer.bytes.size());
  return answer.status;
}

void WorkerImage::watch(void* self, const char* uri, std::size_t size, std::uint32_t watched) {
  WorkerImage& image = image_of(self);
  const std::string_view which(uri, size);
  std::string frame;
  append_watch(frame, which, watched != 0);
  const std::lock_guard lock(image.mutex_);
  if (watched) {
    image.watched_.emplace(which);
  } else if (const auto found = image.watched_.find(which); found != image.watched_.end()) {
    image.watched_.erase(found);
  }
  if (image.state_ == State::up) static_cast<void>(image.send(frame));
}

std::int32_t WorkerImage::quiesce(void* self, std::uint32_t deadline_ms) {
  WorkerImage& image = image_of(self);
  std::string frame;
  FrameWriter(frame, FrameType::quiesce).number(deadline_ms);
  const std::lock_guard lock(image.mutex_);
  image.quiescing_ = true;
  if (image.state_ == State::up) static_cast<void>(image.send(frame));
  return COLLET_OK;
}

// the end

void WorkerImage::destroy(void* self) {
  WorkerImage& image = image_of(self);
  std::string frame;
  FrameWriter(frame, FrameType::close);
  std::unique_lock lock(image.mutex_);
  if (image.state_ == State::up) {
    static_cast<void>(image.send(frame));
  } else {
    image.kill_reason_ = "it is no longer wanted";  // the process that is just being started
  }
  if (image.state_ != State::closed) image.state_ = image.thread_.joinable() ? State::closing : State::closed;
  image.questions_.give_up();
  image.changed_.notify_all();
  image.wake();
  image.changed_.wait(lock, [&] { return image.state_ == State::closed; });
}

bool WorkerImage::kill(std::string_view why) {
  const std::lock_guard lock(mutex_);
  if (state_ == State::closed) return true;
  kill_reason_ = why;
  state_ = thread_.joinable() ? State::closing : State::closed;
  questions_.give_up();
  changed_.notify_all();
  if (wake_) wake();
  return true;
}

bool WorkerImage::close() {
  if (thread_.joinable()) thread_.join();
  return true;
}

void WorkerImage::wake() const {
  const std::uint64_t one = 1;
  static_cast<void>(!write(wake_.get(), &one, sizeof one));
}

}  // namespace collet::worker
