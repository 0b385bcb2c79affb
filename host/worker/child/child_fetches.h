// What a worker's plugin fetches over HTTP: it has the host do it.
#pragma once

#include "plugin/run/fetches.h"
#include "worker/talk/frame.h"
#include "worker/talk/outbox.h"

namespace collet::worker {

class ChildFetches final : public plugin::Fetches {
 public:
  // Calls are heard by ChildCalls. All are borrowed.
  ChildFetches(plugin::CallTable& calls, plugin::CallOwner& owner, plugin::Answers& answers, Outbox& out)
      : Fetches(calls, owner, answers), out_(out) {}

  // What the host has to say of it.
  void take(const FrameHead& head, FieldReader& fields);

 private:
  std::int32_t start(std::uint64_t id, plugin::LockedCall& inside_of, fetch::Request request) override;
  void stop(std::uint64_t id) override;
  void give(std::uint64_t id, std::size_t bytes) override;
  void detach() override {}

  Outbox& out_;
};

}  // namespace collet::worker
