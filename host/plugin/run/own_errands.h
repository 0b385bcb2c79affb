// What a generation's plugin has its host do for it: invocations, fetches, records, streams, and the thread on which the plugin
// hears what has come of them. They begin together, and end together.
#pragma once

#include <memory>

#include "plugin/run/answers.h"
#include "plugin/run/generation_spec.h"

namespace collet::plugin {

class OwnErrands {
 public:
  // What the spec makes. The others are borrowed, and outlive this.
  OwnErrands(const GenerationSpec& spec, CallTable& calls, CallOwner& owner, OwnThreads& own_threads);
  ~OwnErrands() = default;  // after close(), or if nothing was ever asked
  OwnErrands(const OwnErrands&) = delete;
  OwnErrands& operator=(const OwnErrands&) = delete;

  // For the host table. Each may be null.
  Peers* peers() const { return peers_.get(); }
  Fetches* fetches() const { return fetches_.get(); }
  OwnRecords* records() const { return records_.get(); }
  OwnStreams* streams() const { return streams_.get(); }

  // [control thread] create() has returned: what the plugin asks for may begin.
  void open();
  // [any] What was begun inside of that call is cancelled.
  void cancel_inside(CallId call, registry::CancelReason reason);
  // Nothing new begins, and the plugin is told that what is under way has ended.
  void end_all();
  // After end_all(): waits until the plugin has been told. False if it does something with an answer yet at the deadline.
  bool close(Clock::time_point deadline);

 private:
  Answers answers_;
  // These may be null.
  const std::unique_ptr<Peers> peers_;
  const std::unique_ptr<OwnRecords> records_;
  const std::unique_ptr<OwnStreams> streams_;
  const std::unique_ptr<Fetches> fetches_;
};

}  // namespace collet::plugin
