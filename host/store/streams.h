// Streams of events: each has an owner, who appends to it, and is read by whoever may, from where they have come to.
//
// An event has a number, one more than the event before it in its stream, and never used again. A stream keeps its newest events, as
// many as the limits have room for; a reader that comes too late for others sees that by the number of the first one kept.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/callback.h"
#include "store/store.h"

namespace collet::store {

struct StreamName {
  std::string owner;
  std::string stream;

  auto operator<=>(const StreamName&) const = default;
};

class Streams {
 public:
  struct Event {
    std::uint64_t sequence = 0;
    std::uint64_t time_ms = 0;  // since 1970
    Bytes bytes;
  };
  // For `after`: behind the newest event there is.
  static constexpr std::uint64_t kNewest = ~std::uint64_t{0};

  enum class Status : std::uint8_t {
    done,
    full,    // the owner has no room for another stream; nothing has changed
    failed,  // the store could not do it, and has said why in the log; what was to be appended may be there nevertheless
  };
  struct Answer {
    Status status = Status::done;
    std::uint64_t sequence = 0;  // of what was appended
  };
  struct Page {
    Status status = Status::done;  // failed: the rest says nothing
    std::uint64_t after = 0;  // behind which it begins
    std::uint64_t first = 1;  // kept; without any, the next one to come. More than `after` + 1: what is between is lost.
    std::uint64_t last = 0;   // that the stream has come to. Less than `after`: that number is of another stream.
    std::vector<Event> events;
  };
  using Appended = Callback<void(Answer)>;
  using Read = Callback<void(Page)>;

  virtual ~Streams() = default;

  // [any] Each calls back once: on any thread, perhaps before it returns, and without a lock. What one thread asks takes effect in the
  // order in which it asks.
  virtual void append(const StreamName& name, std::string bytes, Appended then) = 0;
  // At most so many events, behind that number; 0: as many as a page may have. There is at least one, if any is kept behind it. Of a
  // stream to which nothing has been appended all is empty.
  virtual void read(const StreamName& name, std::uint64_t after, std::uint32_t events_max, Read then) = 0;

  // [any] `appended` is called, on any thread and without a lock, whenever something has been appended to that stream; also to one that
  // is not there yet. What is appended meanwhile may be told once. It must not block.
  virtual std::uint64_t watch(const StreamName& name, std::function<void()> appended) = 0;
  // It may still be called a moment later.
  virtual void unwatch(const StreamName& name, std::uint64_t watch) = 0;
};

}  // namespace collet::store
