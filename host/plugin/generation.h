// One loaded incarnation of a plugin: library, instance, threads and items. The registry's provider of those items.
//
// Life: begin_open → finish_open → (calls) → close → destruction. dlopen, create() and destroy() run on the control
// thread; the library is closed by whoever calls close(), after every thread of the generation has been joined.
// When plugin code does not return, stuck() is true: the object must then be leaked, and the process must end
// without running static destructors.
#pragma once

#include <functional>

#include "plugin/elf_file.h"
#include "plugin/executor.h"
#include "plugin/host_table.h"
#include "plugin/library.h"
#include "plugin/thread.h"
#include "registry/item.h"

namespace collet::plugin {

struct GenerationSpec {
  std::string name;    // of the plugin in the configuration
  std::string config;  // JSON object
  std::uint64_t number = 1;
  CallRules rules = {};
  bool never_unload = false;
  std::function<void(std::string_view uri)> resource_updated;  // any thread; may be empty
};

class Generation final : public registry::Provider, private Executor::Runner {
 public:
  Generation(CallTable& calls, GenerationSpec spec, PrivateFile file, ElfReport elf);
  ~Generation() override;
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  // Starts loading and creating on the control thread.
  void begin_open();
  // Waits for it. Past the deadline the error says so, and the generation is stuck.
  Result<void> finish_open(Clock::time_point deadline);
  // After finish_open().
  void begin_publishing(Items::Publish publish) { items_.begin_publishing(std::move(publish)); }

  // [loop] Provider. A NONBLOCKING item runs before start() returns where that is allowed; on_end() then comes from
  // inside start(), after the plugin's call() has returned.
  CallId start(const registry::Call& call, registry::Listener& listener) override;
  void cancel(CallId id, registry::CancelReason reason) override;

  // [loop] Cancels that loop's calls with COLLET_CANCEL_SHUTDOWN.
  void cancel_calls(unsigned loop);

  // Ends it, when no loop can start calls of it any more: waits for calls, asks them to stop after half of the
  // time, gives up on them after three quarters, destroys, joins, unloads. An error says what did not return.
  Result<void> close(Clock::time_point deadline);

  bool stuck() const { return stuck_; }
  const std::string& name() const { return owner_.name; }
  const PluginTable& table() const { return table_; }
  const ElfReport& elf() const { return elf_; }
  unsigned calls_in_flight() const { return owner_.calls_in_flight(); }
  std::size_t item_count() const { return items_.size(); }
  // Why NONBLOCKING items do not run on loops, or empty.
  std::string inline_obstacle() const;
  bool has_nonblocking_items() const { return items_.has_nonblocking(); }
  bool runs_inline() const { return inline_obstacle().empty() && items_.has_nonblocking(); }
  // [any] What the plugin says of its health, a JSON object; empty if it does not offer collet.status/1.
  std::string status() const;
  // [any] Tells the plugin, if it offers collet.watch/1. Between open and close.
  void watch(std::string_view uri, bool watched) const;
  // The last item_add() that was refused, or empty.
  std::string item_problem() const { return items_.last_error(); }

 private:
  void open();  // control thread
  Result<void> create();
  CallId run_inline(CallSlot& slot, const ItemRecord& item, const registry::Call& call);
  CallId enqueue(CallSlot& slot, const ItemRecord& item, const registry::Call& call);
  void run_queued(CallSlot& slot) override;
  // Runs the plugin's call(), and ends the call if that failed.
  void run(CallId id, collet_call_params& params);
  std::int32_t invoke(CallId id, const collet_call_params& params);
  CallId refuse(registry::Listener& listener, std::string reason) const;
  void end_unfinished(CallId id, std::string reason);
  void note_overrun(collet_item item, Clock::duration took);
  template <class Extension>
  const Extension* extension(std::string_view id) const;
  bool wait_drained(Clock::time_point deadline);
  void close_calls(Clock::time_point half, Clock::time_point three_quarters);
  void end_running();
  Result<void> leave(std::string what);

  CallTable& calls_;
  const GenerationSpec spec_;
  PrivateFile file_;
  const ElfReport elf_;
  CallOwner owner_;
  Items items_;
  Blobs blobs_;
  HostSide side_;
  const collet_host host_;

  PluginTable table_;
  std::unique_ptr<Library> library_;
  void* self_ = nullptr;
  bool created_ = false;
  bool stuck_ = false;
  Result<void> opened_;
  std::unique_ptr<Executor> executor_;
  // Held while plugin code runs, unless it is CONCURRENT: executors wait for it, loops go to the executor instead.
  std::mutex serial_;
  bool concurrent_ = false;
  std::mutex cancel_mutex_;      // held while the plugin's cancel() runs
  bool cancel_allowed_ = false;  // guarded by it
  std::unique_ptr<ControlThread> control_;
};

}  // namespace collet::plugin
