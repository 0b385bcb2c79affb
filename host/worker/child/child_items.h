// The items of a worker's plugin, as the host is told of them: under numbers that are never used again.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "registry/item.h"
#include "worker/talk/frame.h"
#include "worker/talk/outbox.h"

namespace collet::worker {

class ChildItems {
 public:
  explicit ChildItems(Outbox& out) : out_(out) {}

  // [any, one at a time] Tells the host what has changed since it was last called. Sent before whatever the plugin says
  // afterwards.
  void say(const std::vector<registry::ItemDef>& items);
  // [any] The item's handle in this process; 0: it is gone.
  std::uint64_t handle_of(std::uint32_t number) const;

 private:
  void append(FrameWriter& frame, const registry::ItemDef& item) const;

  Outbox& out_;
  mutable std::mutex mutex_;                                  // guards all below
  std::unordered_map<std::uint64_t, std::uint32_t> numbers_;  // what the host calls an item, by its handle here
  std::unordered_map<std::uint32_t, std::uint64_t> handles_;  // the other way round
  std::uint32_t last_ = 0;
};

}  // namespace collet::worker
