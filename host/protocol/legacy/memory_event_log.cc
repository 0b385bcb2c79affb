#include "protocol/legacy/memory_event_log.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/limits.h"
#include "base/log.h"

namespace collet::protocol {
namespace {

// What an event costs besides its message.
constexpr std::size_t kEventOverheadBytes = 64;

std::size_t cost(const EventLog::Event& event) { return event.message.size() + kEventOverheadBytes; }

auto after(const std::deque<EventLog::Event>& events, std::uint64_t position) {
  return std::upper_bound(events.begin(), events.end(), position,
                          [](std::uint64_t at, const EventLog::Event& event) { return at < event.number; });
}

}  // namespace

MemoryEventLog::~MemoryEventLog() { drop_all(); }

EventId MemoryEventLog::append(std::string_view message) {
  Wake wake;
  EventId id{number_, 0};
  {
    const std::lock_guard lock(mutex_);
    id.event = ++last_event_;
    if (finished_ || broken_) return id;
    const std::size_t bytes = message.size() + kEventOverheadBytes;
    while (may_drop() && bytes_ + bytes > limits::kEventLogBytesMax) drop_oldest();
    const std::size_t unread = bytes_;
    if (!keep(id.event, message)) {
      broken_ = true;
      drop_all();
      log::warning("an event stream is given up: its client has not read {} bytes of it", unread);
    }
    if (reader_ != 0 && !std::exchange(woken_, true)) wake = wake_;
  }
  if (wake) wake();
  return id;
}

// False: there is no room for it, or no memory.
bool MemoryEventLog::keep(std::uint64_t number, std::string_view message) {
  const std::size_t bytes = message.size() + kEventOverheadBytes;
  if (bytes_ > limits::kEventLogUnreadBytesMax || !budget_.take(bytes)) return false;
  try {
    events_.push_back({number, std::string(message)});
  } catch (const std::bad_alloc&) {
    budget_.give_back(bytes);
    return false;
  }
  bytes_ += bytes;
  return true;
}

void MemoryEventLog::finish() {
  Wake wake;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(finished_, true)) return;
    if (reader_ != 0 && !std::exchange(woken_, true)) wake = wake_;
  }
  if (wake) wake();
}

bool MemoryEventLog::broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

std::uint64_t MemoryEventLog::attach(Wake wake) {
  Wake before;
  std::uint64_t reader;
  {
    const std::lock_guard lock(mutex_);
    if (reader_ != 0) before = std::move(wake_);
    reader_ = reader = ++last_reader_;
    read_ = 0;
    wake_ = std::move(wake);
    woken_ = false;
  }
  if (before) before();
  return reader;
}

void MemoryEventLog::detach(std::uint64_t reader) {
  const std::lock_guard lock(mutex_);
  if (reader_ != reader) return;
  reader_ = 0;
  wake_ = nullptr;
}

bool MemoryEventLog::attached() const {
  const std::lock_guard lock(mutex_);
  return reader_ != 0;
}

EventLog::Reading MemoryEventLog::read(std::uint64_t reader, std::uint64_t position, std::size_t bytes_max) {
  const std::lock_guard lock(mutex_);
  Reading reading;
  reading.over = reader_ != reader || finished_ || broken_;
  if (reader_ != reader) return reading;
  woken_ = false;
  std::size_t bytes = 0;
  for (auto event = after(events_, position); event != events_.cend(); ++event) {
    bytes += event->message.size();
    if (bytes > bytes_max && !reading.events.empty()) {
      reading.over = false;
      read_ = reading.events.back().number;
      return reading;
    }
    reading.events.push_back(*event);
  }
  read_ = last_event_;
  return reading;
}

bool MemoryEventLog::reader_is_behind(std::size_t bytes_max) const {
  const std::lock_guard lock(mutex_);
  if (reader_ == 0) return false;
  std::size_t bytes = 0;
  for (auto event = after(events_, read_); event != events_.cend() && bytes <= bytes_max; ++event) {
    bytes += event->message.size();
  }
  return bytes > bytes_max;
}

void MemoryEventLog::forget(std::uint64_t position) {
  const std::lock_guard lock(mutex_);
  while (!events_.empty() && events_.front().number <= position) drop_oldest();
}

bool MemoryEventLog::may_drop() const { return !events_.empty() && (reader_ == 0 || events_.front().number <= read_); }

void MemoryEventLog::drop_oldest() {
  const std::size_t bytes = cost(events_.front());
  bytes_ -= bytes;
  budget_.give_back(bytes);
  events_.pop_front();
}

void MemoryEventLog::drop_all() {
  while (!events_.empty()) drop_oldest();
}

}  // namespace collet::protocol
