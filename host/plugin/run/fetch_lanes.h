// The exchanges of plugins, on the loops where they run, over all generations: one engine a loop, from the first exchange on.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "fetch/engine.h"
#include "plugin/run/call_table.h"

namespace collet::plugin {

class FetchLanes {
 public:
  // Who is told, on the loop of the exchange.
  class Maker {
   public:
    virtual ~Maker() = default;
    virtual void on_head(std::uint64_t id, fetch::Head head) = 0;
    virtual void on_body(std::uint64_t id, std::string bytes) = 0;
    virtual void on_end(std::uint64_t id, fetch::End end) = 0;
  };
  // The way to a maker that may be gone. Shared by it and what it has made.
  struct Link {
    std::mutex mutex;
    Maker* maker = nullptr;  // guarded by it, also while the maker is told
    // What has been made and has not ended, whether the maker waits for it or not.
    std::atomic<unsigned> running{0};
  };
  using LinkPtr = std::shared_ptr<Link>;

  // `calls` is borrowed. Outlives the loops, or ends before they run.
  FetchLanes(CallTable& calls, fetch::EngineOptions options);
  ~FetchLanes();
  FetchLanes(const FetchLanes&) = delete;
  FetchLanes& operator=(const FetchLanes&) = delete;

  // [any] Begins it on that loop; `id` is the maker's. Returns the number by which it is known there.
  std::uint64_t start(unsigned loop, LinkPtr link, std::uint64_t id, fetch::Request request);
  // [any] Its maker is told that it has ended.
  void stop(unsigned loop, std::uint64_t serial);
  // [any] So many of the bytes that were told have found their place.
  void taken(unsigned loop, std::uint64_t serial, std::size_t bytes);
  // [any] One loop after the other.
  unsigned next_loop() { return turn_++ % static_cast<unsigned>(lanes_.size()); }

 private:
  class Running;
  // What has ended while a name was being looked up: it keeps its place among those that run until the system's resolver has
  // probably given up, so that nobody has more threads look names up than exchanges.
  struct Lingering;
  // Loop thread.
  struct Lane {
    std::unordered_map<std::uint64_t, std::unique_ptr<Running>> running;
    std::unordered_map<std::uint64_t, std::unique_ptr<Lingering>> lingering;
    std::unique_ptr<fetch::Engine> engine;
  };
  fetch::Engine& engine(unsigned loop);
  template <class Body>
  void with(unsigned loop, std::uint64_t serial, Body body);
  void forget(unsigned loop, std::uint64_t serial, bool looking_up);

  CallTable& calls_;
  const fetch::EngineOptions options_;
  std::vector<Lane> lanes_;
  std::atomic<std::uint64_t> last_serial_{0};
  std::atomic<unsigned> turn_{0};
};

}  // namespace collet::plugin
