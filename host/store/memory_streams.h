// Streams in the memory of this process.
#pragma once

#include <deque>
#include <map>
#include <mutex>

#include "base/clock.h"
#include "store/streams.h"
#include "store/watchers.h"

namespace collet::store {

class MemoryStreams final : public Streams {
 public:
  explicit MemoryStreams(WallClock now = wall_ms) : now_(std::move(now)) {}

  void append(const StreamName& name, std::string bytes, Appended then) override;
  void read(const StreamName& name, std::uint64_t after, std::uint32_t events_max, Read then) override;
  std::uint64_t watch(const StreamName& name, std::function<void()> appended) override { return watchers_.watch(name, std::move(appended)); }
  void unwatch(const StreamName& name, std::uint64_t watch) override { watchers_.unwatch(name, watch); }

  // Watches that are open, of all streams.
  std::size_t watches() const { return watchers_.count(); }

 private:
  struct Stream {
    std::deque<Event> events;
    std::size_t bytes = 0;
    std::uint64_t last = 0;
  };

  // With mutex_.
  Stream* open(const StreamName& name);
  static void append(Stream& stream, Event event);
  static Page page_of(const Stream& stream, std::uint64_t after, std::uint32_t events_max);

  const WallClock now_;
  Watchers watchers_;
  std::mutex mutex_;  // guards what follows
  std::map<std::string, std::map<std::string, Stream>> streams_;  // by owner, and by name
};

}  // namespace collet::store
