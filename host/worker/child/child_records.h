// The records of a worker's plugin: the host has them.
#pragma once

#include "plugin/run/own_records.h"
#include "worker/talk/frame.h"
#include "worker/talk/outbox.h"

namespace collet::worker {

class ChildRecords final : public plugin::OwnRecords {
 public:
  // Both are borrowed.
  ChildRecords(plugin::Answers& answers, Outbox& out) : OwnRecords(answers), out_(out) {}

  // What the host has to say of them.
  void take(const FrameHead& head, FieldReader& fields);

 private:
  void start(std::uint64_t id, plugin::RecordOrder order) override;

  Outbox& out_;
};

}  // namespace collet::worker
