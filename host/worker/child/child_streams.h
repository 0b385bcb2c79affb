// The streams of a worker's plugin, and those that it reads: the host has them.
#pragma once

#include "plugin/run/own_streams.h"
#include "worker/talk/frame.h"
#include "worker/talk/outbox.h"

namespace collet::worker {

class ChildStreams final : public plugin::OwnStreams {
 public:
  // Both are borrowed.
  ChildStreams(plugin::Answers& answers, Outbox& out) : OwnStreams(answers), out_(out) {}

  // What the host has to say of them.
  void take(const FrameHead& head, FieldReader& fields);

 private:
  void start(std::uint64_t id, plugin::StreamOrder order) override;
  void start_next(std::uint64_t follow, const plugin::StreamRead& from) override;
  void stop_next(std::uint64_t follow) override;

  Outbox& out_;
};

}  // namespace collet::worker
