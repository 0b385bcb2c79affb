#include "protocol/legacy/event_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <new>
#include <utility>

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

std::optional<EventId> EventId::parse(std::string_view text) {
  EventId id;
  const char* const end = text.data() + text.size();
  const auto log = std::from_chars(text.data(), end, id.log);
  if (log.ec != std::errc() || log.ptr == end || *log.ptr != '-') return std::nullopt;
  const auto event = std::from_chars(log.ptr + 1, end, id.event);
  if (event.ec != std::errc() || event.ptr != end) return std::nullopt;
  return id;
}

std::string EventId::text() const { return fmt::format("{}-{}", log, event); }

bool EventBudget::take(std::size_t bytes) {
  if (used_.fetch_add(bytes) + bytes <= bytes_max_ && (!all_ || all_->take(bytes))) return true;
  used_ -= bytes;
  return false;
}

void EventBudget::give_back(std::size_t bytes) {
  used_ -= bytes;
  if (all_) all_->give_back(bytes);
}

EventLog::~EventLog() { drop_all(); }

EventId EventLog::append(std::string_view message) {
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
bool EventLog::keep(std::uint64_t number, std::string_view message) {
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

void EventLog::finish() {
  Wake wake;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(finished_, true)) return;
    if (reader_ != 0 && !std::exchange(woken_, true)) wake = wake_;
  }
  if (wake) wake();
}

bool EventLog::finished() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

bool EventLog::broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

std::uint64_t EventLog::attach(Wake wake) {
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

void EventLog::detach(std::uint64_t reader) {
  const std::lock_guard lock(mutex_);
  if (reader_ != reader) return;
  reader_ = 0;
  wake_ = nullptr;
}

bool EventLog::attached() const {
  const std::lock_guard lock(mutex_);
  return reader_ != 0;
}

EventLog::Reading EventLog::read(std::uint64_t reader, std::uint64_t position, std::size_t bytes_max) {
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

bool EventLog::reader_is_behind(std::size_t bytes_max) const {
  const std::lock_guard lock(mutex_);
  if (reader_ == 0) return false;
  std::size_t bytes = 0;
  for (auto event = after(events_, read_); event != events_.cend() && bytes <= bytes_max; ++event) {
    bytes += event->message.size();
  }
  return bytes > bytes_max;
}

void EventLog::forget(std::uint64_t position) {
  const std::lock_guard lock(mutex_);
  while (!events_.empty() && events_.front().number <= position) drop_oldest();
}

bool EventLog::may_drop() const { return !events_.empty() && (reader_ == 0 || events_.front().number <= read_); }

void EventLog::drop_oldest() {
  const std::size_t bytes = cost(events_.front());
  bytes_ -= bytes;
  budget_.give_back(bytes);
  events_.pop_front();
}

void EventLog::drop_all() {
  while (!events_.empty()) drop_oldest();
}

}  // namespace collet::protocol
