// The events of one stream of a legacy session, numbered and kept for a client that lost its connection and comes
// back for what it missed (2025-11-25, basic/transports, Resumability and Redelivery).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace collet::protocol {

// The id of an event as clients see it: which stream of the session, and which event there.
struct EventId {
  std::uint64_t log = 0;
  std::uint64_t event = 0;

  static std::optional<EventId> parse(std::string_view text);
  std::string text() const;
};

// Any thread. No function waits for anything but a short lock. An event that the log cannot keep breaks it: there is no
// telling a client any more what it has missed.
class EventLog {
 public:
  virtual ~EventLog() = default;

  // Which stream of its session it is.
  virtual std::uint64_t number() const = 0;

  // Notes the next event and returns its id; the first event is 1. Empty: an event that only has an id.
  virtual EventId append(std::string_view message) = 0;
  // No more will come.
  virtual void finish() = 0;
  virtual bool broken() const = 0;

  // Who sends the log to a client: at most one at a time, a later one takes over. `wake` is called, from any
  // thread and without a lock, when there is something to read; not again before it has been read. It may still be called
  // a moment after detach().
  using Wake = std::function<void()>;
  virtual std::uint64_t attach(Wake wake) = 0;
  virtual void detach(std::uint64_t reader) = 0;
  virtual bool attached() const = 0;

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
  //
  // Events that are kept elsewhere may come late: then it returns none, is not over, and wakes the reader when they are at
  // hand. That is why reading does not call back, as that of a store does: a reader is woken for what is appended, and
  // asks again then; events that come late are nothing else to it, and there is no answer that could find it gone.
  virtual Reading read(std::uint64_t reader, std::uint64_t position, std::size_t bytes_max = ~std::size_t{0}) = 0;
  // Whether more than `bytes_max` wait for the reader; without one nobody waits.
  virtual bool reader_is_behind(std::size_t bytes_max) const = 0;
  // Those up to `position` will not be asked for again.
  virtual void forget(std::uint64_t position) = 0;
};

using EventLogPtr = std::shared_ptr<EventLog>;  // of the session, of who writes and of who reads

}  // namespace collet::protocol
