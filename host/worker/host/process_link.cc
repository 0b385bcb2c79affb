#include "worker/host/process_link.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "worker/talk/open_order.h"

namespace collet::worker {

Result<void> ProcessLink::open() {
  wake_ = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) return error("cannot look after a worker process: {}", std::strerror(errno));
  return {};
}

void ProcessLink::attach(const collet_host& host) {
  const std::lock_guard lock(mutex_);
  host_ = &host;
}

bool ProcessLink::give_call(collet_call call, std::uint64_t incarnation, std::string_view frame, Send when,
                            std::string& reason) {
  const std::lock_guard lock(mutex_);
  // What ended while its process did must not reach the next one.
  if (has_ended(call)) return true;
  if (!up_ || incarnation != incarnation_) return false;
  if (!put(frame, when)) {
    reason = kill_reason_.empty() ? "too many calls of it are waiting" : kill_reason_;
    return false;
  }
  denials_.call_began(call);
  return true;
}

void ProcessLink::cancel(collet_call call, std::uint32_t reason) {
  std::string frame;
  FrameWriter(frame, FrameType::cancel, call).number(reason);
  const std::lock_guard lock(mutex_);
  if (!up_) return;
  if (reason == COLLET_CANCEL_DEADLINE) {
    overdue_.emplace_back(now_() + std::chrono::milliseconds(hang_ms_), call);
    wake();
  }
  static_cast<void>(put(frame));
}

void ProcessLink::taken(collet_call call, std::size_t bytes) {
  std::string frame;
  FrameWriter(frame, FrameType::taken, call).number(std::uint64_t{bytes});
  tell(frame);
}

void ProcessLink::tell(std::string_view frame) {
  const std::lock_guard lock(mutex_);
  if (up_ && !put(frame)) condemn_for_not_taking();
}

void ProcessLink::quiesce(std::uint32_t deadline_ms) {
  std::string frame;
  FrameWriter(frame, FrameType::quiesce).number(deadline_ms);
  const std::lock_guard lock(mutex_);
  if (up_) static_cast<void>(put(frame));
}

void ProcessLink::watch(std::string_view uri, bool watched) {
  std::string frame;
  append_watch(frame, uri, watched);
  const std::lock_guard lock(mutex_);
  if (watched) {
    watched_.emplace(uri);
  } else if (const auto found = watched_.find(uri); found != watched_.end()) {
    watched_.erase(found);
  }
  if (up_) static_cast<void>(put(frame));
}

Questions::Answer ProcessLink::ask(FrameType type, std::string_view text, std::optional<std::uint64_t> at_most_ms) {
  Questions::Number question;
  {
    const std::lock_guard lock(mutex_);
    if (!up_) return {};
    question = questions_.add();
    std::string frame;
    FrameWriter(frame, type, question).text(text);
    if (!put(frame)) at_most_ms = 0;  // nobody will answer
  }
  return questions_.wait(question, at_most_ms);
}

bool ProcessLink::send_to(std::uint32_t incarnation, std::string_view frames, Errands::Need need) {
  const std::lock_guard lock(mutex_);
  if (!queue_.is_open() || incarnation != incarnation_ || !kill_reason_.empty() || put(frames)) return true;
  if (need == Errands::Need::may_be_lost && kill_reason_.empty()) return false;
  condemn_for_not_taking();
  return true;
}

bool ProcessLink::send(std::string_view frames) {
  const std::lock_guard lock(mutex_);
  return put(frames);
}

// False if too much waits already.
bool ProcessLink::put(std::string_view frames, Send when) {
  const bool waited = queue_.waits();
  const bool held = when == Send::at_turn_end && queue_.size() + frames.size() <= limits::kWorkerHeldBytesMax;
  const SendQueue::Sent sent = held ? queue_.hold(frames) : queue_.send(frames);
  if (sent == SendQueue::Sent::out_of_memory) {
    kill_reason_ = "the server is out of memory, and cannot tell it what it is to do";
    wake();
  } else if (!waited && queue_.waits()) {
    wake();
  }
  return sent == SendQueue::Sent::yes;
}

// its end

void ProcessLink::condemn(std::string reason) {
  const std::lock_guard lock(mutex_);
  if (!queue_.is_open() || !kill_reason_.empty()) return;
  kill_reason_ = std::move(reason);
  wake();
}

void ProcessLink::condemn_for_not_taking() {
  if (kill_reason_.empty()) kill_reason_ = "it does not take what it is sent";
  wake();
}

void ProcessLink::ask_to_end() {
  std::string frame;
  FrameWriter(frame, FrameType::close);
  const std::lock_guard lock(mutex_);
  if (up_) {
    static_cast<void>(put(frame));
  } else {
    kill_reason_ = "it is no longer wanted";  // the process that is just being started
  }
  up_ = false;
  questions_.give_up();
  wake();
}

void ProcessLink::kill(std::string_view why) {
  const std::lock_guard lock(mutex_);
  kill_reason_ = why;
  up_ = false;
  questions_.give_up();
  if (wake_) wake();
}

// what its sandbox denies

bool ProcessLink::note_denial(const std::string& denial) {
  const std::lock_guard lock(mutex_);
  return denials_.note(denial);
}

std::string ProcessLink::call_ended(collet_call call) {
  const std::lock_guard lock(mutex_);
  return denials_.call_ended(call);
}

// one process and the next

void ProcessLink::begin(int socket, std::uint32_t incarnation, std::string_view frame) {
  const std::lock_guard lock(mutex_);
  queue_.begin(socket);
  incarnation_ = incarnation;
  static_cast<void>(put(frame));
}

void ProcessLink::come_up() {
  const std::lock_guard lock(mutex_);
  std::string watches;
  for (const std::string& uri : watched_) append_watch(watches, uri, true);
  static_cast<void>(put(watches));
  up_ = true;
}

void ProcessLink::end() {
  const std::lock_guard lock(mutex_);
  up_ = false;
  queue_.end();
  kill_reason_.clear();
  denials_ = {};
  overdue_.clear();
  questions_.give_up();
}

// what there is to do

ProcessLink::Wanted ProcessLink::wanted() const {
  const std::lock_guard lock(mutex_);
  return {queue_.waits(), overdue_.empty() ? plugin::Clock::time_point::max() : overdue_.front().first};
}

void ProcessLink::flush() {
  const std::lock_guard lock(mutex_);
  const bool waited = queue_.waits();
  queue_.flush();
  if (!waited && queue_.waits()) wake();
}

std::string ProcessLink::reason_to_kill() {
  const std::lock_guard lock(mutex_);
  if (!kill_reason_.empty()) return kill_reason_;
  while (!overdue_.empty() && overdue_.front().first <= now_()) {
    const collet_call call = overdue_.front().second;
    overdue_.pop_front();
    if (!has_ended(call)) return fmt::format("a call has not ended {} ms after its deadline", hang_ms_);
  }
  return {};
}

void ProcessLink::wake() const {
  const std::uint64_t one = 1;
  static_cast<void>(!write(wake_.get(), &one, sizeof one));
}

void ProcessLink::woken() const {
  std::uint64_t count;
  static_cast<void>(!read(wake_.get(), &count, sizeof count));
}

}  // namespace collet::worker
