// What a worker's plugin does with the host's items: it has the host do it.
#pragma once

#include "plugin/run/peers.h"
#include "worker/talk/frame.h"
#include "worker/talk/outbox.h"

namespace collet::worker {

class ChildPeers final : public plugin::Peers {
 public:
  // Calls are heard by ChildCalls. All are borrowed.
  ChildPeers(plugin::CallTable& calls, plugin::CallOwner& owner, plugin::Answers& answers, Outbox& out)
      : Peers(calls, owner, answers), out_(out) {}

  // What the host has to say of it.
  void take(const FrameHead& head, FieldReader& fields);

 private:
  std::int32_t start(std::uint64_t id, plugin::LockedCall& inside_of, registry::Order order) override;
  std::int32_t start_list(std::uint64_t id, plugin::LockedCall& inside_of, plugin::ListOrder order) override;
  void stop(std::uint64_t id, registry::CancelReason reason) override;
  void start_watch() override;
  void detach() override {}

  Outbox& out_;
};

}  // namespace collet::worker
