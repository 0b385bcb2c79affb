// Stands in for an EXCLUSIVE plugin while its old generation is gone and the new one is not there yet: keeps the
// calls until then, and passes on what is said of them afterwards.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/limits.h"
#include "loop/loop.h"
#include "registry/item.h"

namespace collet::plugin {

class Parking final : public registry::Provider {
 public:
  // The loops are borrowed.
  Parking(std::string plugin, std::vector<loop::Loop*> loops);
  ~Parking() override;  // when idle() is true

  // Items of the plugin as this offers them. Once.
  std::vector<registry::ItemDef> stand_in_for(std::vector<registry::ItemDef> items);

  // [loop]
  registry::CallId start(const registry::Call& call, registry::Listener& listener) override;
  void cancel(registry::CallId id, registry::CancelReason reason) override;
  void taken(registry::CallId id, std::size_t bytes) override;

  // Any thread, when no loop can start calls here any more: has the loops start what they have parked. `find` says
  // where an item of that kind and name is now; without a provider the call ends with `otherwise`.
  struct Place {
    registry::Provider* provider = nullptr;
    std::uint64_t handle = 0;
  };
  using Find = std::function<Place(registry::Kind kind, const std::string& name)>;
  // `released` is called when the last loop has.
  void release(Find find, std::string otherwise, Callback<void()> released);

  // Any thread, after release(): whether no call is left that was parked here.
  bool idle() const;

 private:
  class Parked;
  struct Lane;
  static void release_lane(Lane& lane, const Find& find, const std::string& otherwise);

  const std::string plugin_;
  std::deque<registry::ItemDef> items_;       // a call's handle points to one
  std::vector<std::shared_ptr<Lane>> lanes_;  // shared with what is posted to their loops
};

}  // namespace collet::plugin
