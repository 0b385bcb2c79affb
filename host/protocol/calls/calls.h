// The calls of one loop that are not over, and those that have been, to be used again. Loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/callback.h"
#include "protocol/calls/item_call.h"

namespace collet::protocol {

class Calls {
 public:
  // An object for a call, used before or new.
  std::unique_ptr<ItemCall> acquire(ServerLoop& owner);
  // It may be used again.
  void keep(std::unique_ptr<ItemCall> call);

  // The call waits, for its plugin or for the client.
  void add(std::unique_ptr<ItemCall> call);
  std::unique_ptr<ItemCall> remove(std::uint64_t serial);
  // Null if no call of that number waits.
  ItemCall* find(std::uint64_t serial);

  std::size_t size() const { return waiting_.size(); }
  // Calls back once, as soon as none waits; possibly at once.
  void when_idle(Callback<void()> callback);
  void cancel_all(registry::CancelReason reason);

 private:
  std::unordered_map<std::uint64_t, std::unique_ptr<ItemCall>> waiting_;  // by serial
  std::vector<std::unique_ptr<ItemCall>> idle_;
  Callback<void()> when_idle_;
};

}  // namespace collet::protocol
