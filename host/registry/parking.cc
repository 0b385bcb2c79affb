#include "registry/parking.h"

#include <fmt/core.h>

#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "registry/ending.h"
#include "registry/registry.h"

namespace collet::registry {

void Waiter::stop_waiting() {
  if (queue_) std::exchange(queue_, nullptr)->erase(place_);
}

Parking::Parking(std::string plugin, const std::vector<loop::Loop*>& loops)
    : plugin_(std::move(plugin)), held_(loops.size()) {
  for (loop::Loop* loop : loops) lanes_.push_back({loop});
}

CallId Parking::start(const Call& call, Listener& listener) {
  COLLET_ASSERT(call.waiter && !call.waiter->waits());
  std::list<Waiter*>& waiting = lanes_[call.loop].waiting;
  if (waiting.size() >= limits::kParkedCallsMax) {
    Ending ending = failed(mcp::kInternalError, fmt::format("plugin {}: it is being replaced, and more than {} calls wait for that",
                                                            plugin_, limits::kParkedCallsMax));
    listener.on_end(ending);
    return 0;
  }
  call.waiter->place_ = waiting.insert(waiting.end(), call.waiter);
  call.waiter->queue_ = &waiting;
  return 0;
}

void Parking::release(Registry& registry, Callback<void()> released) {
  released_ = std::move(released);
  for (Lane& lane : lanes_) {
    lane.loop->post([this, &lane, &registry] {
      release_lane(lane, registry);
      if (--held_ > 0) return;
      Callback<void()> done = std::move(released_);  // which may have this destroyed
      done();
    });
  }
}

// What the loop finds in the registry it may still start: who replaces that waits for the loop's next turn.
void Parking::release_lane(Lane& lane, const Registry& registry) {
  while (!lane.waiting.empty()) {
    Waiter& first = *lane.waiting.front();
    first.stop_waiting();
    first.go_on(*registry.current());
  }
}

}  // namespace collet::registry
