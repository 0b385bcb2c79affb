// The events of one stream of a legacy session, numbered and kept for a client that lost its connection and comes
// back for what it missed (2025-11-25, basic/transports, Resumability and Redelivery).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"

namespace collet::protocol {

// The id of an event as clients see it: which stream of the session, and which event there.
struct EventId {
  std::uint64_t log = 0;
  std::uint64_t event = 0;

  static std::optional<EventId> parse(std::string_view text);
  std::string text() const;
};

// How many bytes the logs of several sessions keep: of all, or of one principal's, which count for all as well. Any
// thread.
class EventBudget {
 public:
  // `all` outlives this one.
  explicit EventBudget(std::size_t bytes_max = limits::kEventBytesMax, EventBudget* all = nullptr)
      : bytes_max_(bytes_max), all_(all) {}
  // False if that would be too much.
  bool take(std::size_t bytes);
  void give_back(std::size_t bytes);
  std::size_t used() const { return used_; }

 private:
  const std::size_t bytes_max_;
  EventBudget* const all_;
  std::atomic<std::size_t> used_ = 0;
};

// Any thread. Keeps the newest kEventLogBytesMax, and up to kEventLogUnreadBytesMax that its reader has not yet
// read. An event that it cannot keep breaks the log: there is no telling a client any more what it has missed.
class EventLog {
 public:
  // The budget outlives the log.
  EventLog(std::uint64_t number, EventBudget& budget) : number_(number), budget_(budget) {}
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  std::uint64_t number() const { return number_; }

  // Notes the next event and returns its id. Empty: an event that only has an id.
  EventId append(std::string_view message);
  // No more will come.
  void finish();
  bool finished() const;
  bool broken() const;

  // Who sends the log to a client: at most one at a time, a later one takes over. `wake` is called, from any
  // thread, when there is something to read; not again before it has been read.
  using Wake = std::function<void()>;
  std::uint64_t attach(Wake wake);
  void detach(std::uint64_t reader);
  bool attached() const;

  struct Event {
    std::uint64_t number;
    std::string message;
  };
  struct Reading {
    std::vector<Event> events;
    bool over = false;  // there will be no more for this reader
  };
  // The events after `position`, as many as have no more than `bytes_max`, but one in any case. Of those that are
  // left the reader is not told again: it asks.
  Reading read(std::uint64_t reader, std::uint64_t position, std::size_t bytes_max = ~std::size_t{0});
  // Whether more than `bytes_max` wait for the reader; without one nobody waits.
  bool reader_is_behind(std::size_t bytes_max) const;
  // Those up to `position` will not be asked for again.
  void forget(std::uint64_t position);

 private:
  bool keep(std::uint64_t number, std::string_view message);
  bool may_drop() const;
  void drop_oldest();
  void drop_all();

  const std::uint64_t number_;
  EventBudget& budget_;
  mutable std::mutex mutex_;  // guards all below
  std::deque<Event> events_;
  std::size_t bytes_ = 0;
  std::uint64_t last_event_ = 0;
  bool finished_ = false;
  bool broken_ = false;
  std::uint64_t reader_ = 0;  // 0: none
  std::uint64_t last_reader_ = 0;
  std::uint64_t read_ = 0;  // up to here by this reader
  Wake wake_;
  bool woken_ = false;
};

using EventLogPtr = std::shared_ptr<EventLog>;  // of the session, of who writes and of who reads

}  // namespace collet::protocol
