// Stands in for a plugin that cannot exist twice (EXCLUSIVE), while its old generation is gone and the new one is not there yet:
// calls wait here until then.
#pragma once

#include <atomic>
#include <deque>
#include <list>
#include <string>
#include <vector>

#include "base/callback.h"
#include "loop/loop.h"
#include "registry/item.h"

namespace collet::registry {

class Registry;
class Snapshot;

// A call that may have to wait. Loop thread.
class Waiter {
 public:
  Waiter() = default;
  virtual ~Waiter() { stop_waiting(); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  bool waits() const { return queue_ != nullptr; }

 protected:
  void stop_waiting();

 private:
  friend class Parking;
  // It has waited, and is to find out what is there now in its place. May destroy this.
  virtual void go_on(const Snapshot& snapshot) = 0;

  std::list<Waiter*>* queue_ = nullptr;  // null: it does not wait
  std::list<Waiter*>::iterator place_;
};

class Parking final : public Provider {
 public:
  // The loops are borrowed.
  Parking(std::string plugin, const std::vector<loop::Loop*>& loops);

  // [loop] call.waiter waits.
  CallId start(const Call& call, Listener& listener) override;
  // Whoever waits may stop by itself.
  void cancel(CallId, CancelReason) override {}

  // Any thread, once, when no loop can start calls here any more: has each loop let its calls go on with what the registry has
  // then. `released` is called when all have; then this may be destroyed.
  void release(Registry& registry, Callback<void()> released);

 private:
  struct Lane {
    loop::Loop* loop = nullptr;
    std::list<Waiter*> waiting = {};  // in the order of their coming; loop thread
  };
  static void release_lane(Lane& lane, const Registry& registry);

  const std::string plugin_;
  std::deque<Lane> lanes_;
  Callback<void()> released_;
  std::atomic<std::size_t> held_;  // lanes that are not released
};

}  // namespace collet::registry
