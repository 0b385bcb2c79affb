// Runs the calls of a generation: on the loop where they begin, or on an executor.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "plugin/run/executor.h"
#include "plugin/run/instance.h"
#include "plugin/run/items.h"
#include "plugin/run/running_calls.h"
#include "registry/item.h"

namespace collet::plugin {

class CallRunner final : private Executor::Runner {
 public:
  // All are borrowed, and outlive this. `running` are the calls of that owner.
  CallRunner(CallTable& calls, CallOwner& owner, Items& items, const Instance& instance, const RunningCalls& running)
      : calls_(calls), owner_(owner), items_(items), instance_(instance), running_(running) {}
  ~CallRunner() override = default;  // after join_until() has returned true, or if no call was ever started
  CallRunner(const CallRunner&) = delete;
  CallRunner& operator=(const CallRunner&) = delete;

  // [control thread] When the plugin's table is there, before its create().
  void open();
  // [loop] See Generation::start().
  CallId start(const registry::Call& call, registry::Listener& listener);
  // After open(), when no loop can start calls any more: what waits for an executor ends with an error.
  void close();
  // After close(): waits until no executor is left. False if a call() has not returned by then.
  bool join_until(Clock::time_point deadline);

 private:
  CallId run_inline(CallSlot& slot, const ItemRecord& item, const registry::Call& call);
  CallId enqueue(CallSlot& slot, const ItemRecord& item, const registry::Call& call);
  void run_queued(CallSlot& slot) override;
  // Runs the plugin's call(), and ends the call if that failed. Where a plugin refuses the state of an earlier build the round runs
  // from the beginning here, and not by registry::Rounds, since it is the same round to whoever calls: nothing has been said of it.
  void run(CallId id, collet_call_params& params);
  std::int32_t invoke(CallId id, const collet_call_params& params);
  void note_overrun(collet_item item, Clock::duration took);

  CallTable& calls_;
  CallOwner& owner_;
  Items& items_;
  const Instance& instance_;
  const RunningCalls& running_;
  std::shared_ptr<Executor> executor_;  // shared with loops that are about to wake it
  // Held while plugin code runs, unless it is CONCURRENT: executors wait for it, loops go to the executor instead.
  std::mutex serial_;
  bool concurrent_ = false;
};

}  // namespace collet::plugin
