// The calls of one loop that have not been answered yet, and their deadlines. Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/callback.h"
#include "loop/loop.h"
#include "protocol/calls/item_call.h"

namespace collet::protocol {

class Calls {
 public:
  explicit Calls(loop::Loop& loop) : loop_(loop), timer_(loop) {}

  // An object for a call, used before or new.
  std::unique_ptr<ItemCall> acquire(ServerLoop& owner);
  // It may be used again.
  void keep(std::unique_ptr<ItemCall> call);

  // The call waits, for its plugin or for the client; it expires after `timeout_ms`.
  void add(std::unique_ptr<ItemCall> call, std::uint64_t timeout_ms);
  void set_timeout(std::uint64_t serial, std::uint64_t timeout_ms);
  std::unique_ptr<ItemCall> remove(std::uint64_t serial);
  // Null if no call of that number waits.
  ItemCall* find(std::uint64_t serial);

  std::size_t size() const { return waiting_.size(); }
  // Calls back once, as soon as none waits; possibly at once.
  void when_idle(Callback<void()> callback);
  void cancel_all(registry::CancelReason reason);

 private:
  using Deadlines = std::multimap<std::uint64_t, std::uint64_t>;  // when → serial
  struct Waiting {
    std::unique_ptr<ItemCall> call;
    Deadlines::iterator deadline;  // end(): it has passed
  };

  void arm();
  void expire();

  loop::Loop& loop_;
  loop::Timer timer_;
  Deadlines deadlines_;
  std::unordered_map<std::uint64_t, Waiting> waiting_;  // by serial
  std::vector<std::unique_ptr<ItemCall>> idle_;
  Callback<void()> when_idle_;
};

}  // namespace collet::protocol
