// One loaded incarnation of a plugin: library, instance, threads and items. The registry's provider of those items.
//
// Life: begin_open → finish_open → (calls) → close → wait_delivered → destruction. dlopen, create() and destroy()
// run on the control thread; the library is closed by whoever calls close(), after every thread of the generation
// has been joined. When plugin code does not return, or threads of its own still run, stuck() is true: the object
// must then be leaked, and the process must end without running static destructors.
//
// Each of its parts has a job of its own. They are declared in the order in which they need each other, and destroyed in
// the reverse; in which order they begin and end is said here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/abi/blobs.h"
#include "plugin/abi/create_errors.h"
#include "plugin/abi/host_table.h"
#include "plugin/abi/instructions.h"
#include "plugin/abi/refusals.h"
#include "plugin/load/elf_file.h"
#include "plugin/load/image.h"
#include "plugin/run/call_runner.h"
#include "plugin/run/control.h"
#include "plugin/run/generation_spec.h"
#include "plugin/run/inquiry.h"
#include "plugin/run/instance.h"
#include "plugin/run/items.h"
#include "plugin/run/last_calls.h"
#include "plugin/run/loop_work.h"
#include "plugin/run/own_errands.h"
#include "plugin/run/own_threads.h"
#include "plugin/run/plugin_functions.h"
#include "plugin/run/running_calls.h"
#include "registry/item.h"

namespace collet::plugin {

// How long the end of a generation may take, step by step.
struct Patience {
  Clock::duration drain;  // calls end by themselves; then they are asked to, by COLLET_CANCEL_SHUTDOWN
  Clock::duration grace;  // they do so; then they are ended with an error
  Clock::duration end;    // call() and destroy() return

  static Patience within(Clock::duration all) { return {all / 2, all / 4, all / 4}; }
};

class Generation final : public registry::Provider {
 public:
  Generation(CallTable& calls, GenerationSpec spec, std::unique_ptr<Image> image, ElfReport elf);
  ~Generation() override;
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  // Starts loading and creating on the control thread.
  void begin_open();
  // Waits for it. Past the deadline the error says so, and the generation is stuck.
  Result<void> finish_open(Clock::time_point deadline);
  // After finish_open(): to be published, and to publish what changes from then on.
  Items& items() { return items_; }

  // [loop] Provider. A NONBLOCKING item runs before start() returns where that is allowed; on_end() then comes from
  // inside start(), after the plugin's call() has returned.
  CallId start(const registry::Call& call, registry::Listener& listener) override;
  void cancel(CallId id, registry::CancelReason reason) override;
  void taken(CallId id, std::size_t bytes) override;
  void body(CallId id, std::string_view bytes, bool last) override;

  // Before a snapshot without this generation is published: loops that have adopted it announce the ends of calls.
  void expect_end() { last_calls_.expect(); }
  // It was not published after all.
  void expect_no_end() { last_calls_.expect_none(); }
  // When no loop can start calls of it any more: waits until the last has ended. False if calls still run then;
  // they have been asked to end, and been given time for it.
  bool drain(const Patience& patience);
  // Tells the plugin, once, that no new calls will come. Does not wait for it.
  void quiesce(Clock::duration at_most) { functions_.quiesce(at_most); }
  // What the plugin hands over, if it can and if there is anything. An error if it fails to.
  Result<std::optional<SavedState>> save_state(Clock::time_point deadline) {
    return functions_.save_state(deadline);
  }
  // The version of what save_state() hands over; nothing if the plugin has nothing to hand over.
  std::optional<std::uint32_t> state_version() const { return functions_.state_version(); }
  bool reconfigurable() const { return functions_.reconfigurable(); }
  // Whether the plugin has taken the new config, which it is not given if that is not as its configSchema says.
  bool reconfigure(const std::string& config, Clock::time_point deadline);
  // Ends it, when no loop can start calls of it any more: drains, ends the calls that are left, destroys, joins,
  // unloads. An error says what did not return.
  Result<void> close(const Patience& patience);
  // [any] A drain under way ends now, as if its time were over.
  void hurry() { last_calls_.hurry(); }
  // Why the library is still mapped after close(), or empty.
  const std::string& mapped_because() const { return mapped_because_; }
  // After close(): waits until every listener has been told. False if `abandon` was called before.
  bool wait_delivered() { return last_calls_.wait_delivered(); }
  // [any] The loops have ended: nobody is told any more.
  void abandon_delivery();

  // Until the time is over `given_up` is called, on any thread, when the plugin has made too many errors of its
  // own.
  void put_on_probation(std::function<void()> given_up);
  void end_probation() { owner_.errors_left = 0; }

  bool stuck() const { return stuck_; }
  const std::string& name() const { return owner_.name; }
  const PluginTable& table() const { return instance_.table(); }
  // What the plugin says of itself, a JSON object, also if it could not be created; empty if it could not be asked.
  std::string info() const { return instance_.image().info(); }
  const ElfReport& elf() const { return elf_; }
  std::uint64_t number() const { return spec_.number; }
  std::uint64_t generation() const override { return spec_.number; }
  bool exclusive() const { return instance_.has_flag(COLLET_PLUGIN_EXCLUSIVE); }
  // Its private copy.
  const std::string& file() const { return instance_.image().path(); }
  bool in_worker() const { return instance_.in_worker(); }
  bool given_up() const { return instance_.image().given_up(); }
  std::vector<std::string> last_end() const { return instance_.image().last_end(); }
  std::string condition() const { return instance_.image().condition(); }
  unsigned calls_in_flight() const { return owner_.calls_in_flight(); }
  // "search, for 12 s", oldest first, at most `count`.
  std::vector<std::string> describe_calls(std::size_t count) const { return running_.describe(items_, count); }
  std::size_t item_count() const { return items_.size(); }
  // Why NONBLOCKING items do not run on loops, or empty.
  std::string inline_obstacle() const;
  bool has_nonblocking_items() const { return items_.has_nonblocking(); }
  bool runs_inline() const { return inline_obstacle().empty() && items_.has_nonblocking(); }
  // [any] What the plugin says of its health, a JSON object; empty if it does not offer collet.status/1.
  std::string status() const { return functions_.status(); }
  bool reports_status() const { return functions_.reports_status(); }
  // [any] The same for those who do not know how long this lives, or how long the plugin takes to say it.
  std::shared_ptr<Inquiry> inquiry() const { return inquiry_; }
  // [any] What the plugin tells clients about its items, or empty.
  std::string instructions() const { return instructions_.text(); }
  // [any] Tells the plugin, if it offers collet.watch/1. Between open and close.
  void watch(std::string_view uri, bool watched) const { functions_.watch(uri, watched); }
  bool watches() const { return functions_.watches(); }
  // The last item_add() that was refused, or empty.
  std::string item_problem() const;

 private:
  void open();  // control thread
  Result<void> create();
  Result<void> unload();
  Result<void> leave(std::string what);

  CallTable& calls_;
  const GenerationSpec spec_;
  const ElfReport elf_;
  CallOwner owner_;
  const RunningCalls running_;
  LastCalls last_calls_;
  // What the host table stands on.
  Items items_;
  Blobs blobs_;
  Instructions instructions_;
  LoopWork loop_work_;
  const std::shared_ptr<OwnThreads> own_threads_ = std::make_shared<OwnThreads>(spec_.name);
  OwnErrands errands_;
  const std::unique_ptr<Refusals> refusals_;  // null: nobody wants to know
  CreateErrors create_errors_;
  HostSide side_;
  const collet_host host_;

  // The plugin, which may use all above as long as it is there.
  Instance instance_;
  std::string mapped_because_;
  Result<void> opened_;
  bool stuck_ = false;
  CallRunner runner_;
  Control control_;
  PluginFunctions functions_;
  const std::shared_ptr<Inquiry> inquiry_;
};

}  // namespace collet::plugin
