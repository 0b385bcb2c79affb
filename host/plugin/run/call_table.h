// Calls in flight: from a plugin's 64-bit id to the result that is being built, without ever trusting the id.
//
// An id is generation of slot (32) | loop (8) | slot (24). A slot belongs to one loop for ever: its thread alone
// takes and returns slots, so that starting a call locks nothing. Any thread may look an id up; what has ended is
// not found.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/unsent.h"
#include "collet/ext/draft/http.h"
#include "collet/plugin.h"
#include "loop/loop.h"
#include "plugin/abi/content.h"
#include "registry/item.h"

namespace collet::plugin {

using registry::CallId;
using registry::CallKind;

using mcp::kInternalError;  // for what a plugin does wrong

// Whose plugin answers the calls: one a generation, kept by it. Outlives its calls.
struct CallOwner {
  CallOwner(std::string plugin_name, std::size_t loops);

  const std::string name;                             // for messages
  const content::Form* form = &content::kClientForm;  // of the results; set before the first call
  // Calls of one loop. Written by that loop's thread alone; atomic so that others may read it, and on a cache line
  // of its own so that loops do not slow each other down.
  struct alignas(64) Count {
    std::atomic<unsigned> calls{0};
  };
  const std::unique_ptr<Count[]> in_flight;
  const std::size_t loops;

  // Set by whoever waits for the last call to end: from then on each end is announced, and each delivery of one on
  // loops that have passed by since.
  std::atomic<bool> draining{false};
  std::mutex drain_mutex;
  std::condition_variable drained;

  // Errors of its own that the plugin may still make before it is given up; at 0 nobody counts.
  std::atomic<unsigned> errors_left{0};
  std::function<void()> given_up;  // any thread, at the last of them; must not block
  std::function<void()> erred;     // any thread, at each error, if anybody wants to know
  // Any thread: one of its calls ends inside of which others were begun. Set before the first call.
  std::function<void(CallId id)> leaves_invocations;

  unsigned calls_in_flight() const;
  // [any] The plugin has broken its contract, or says that it is broken.
  void note_error();
  // [any] It has done worse than that.
  void give_up();
};

// A call that runs, for whoever wants to know.
struct RunningCall {
  CallId id = 0;
  collet_item item = 0;
  std::chrono::steady_clock::time_point began;
};

// What a call says while it runs, on its way to its loop.
struct Notice {
  enum class Kind : std::uint8_t { progress, log, close_stream, head, bytes, body_taken };
  Kind kind = Kind::progress;
  unsigned severity = 0;  // log
  unsigned retry_ms = 0;  // close_stream
  double done = 0;        // progress
  double total = 0;
  std::string logger = {};  // log
  std::string text = {};    // progress: message; log: JSON text; bytes: of a route's answer
  std::unique_ptr<registry::WebHead> head = {};
  std::size_t taken = 0;  // body_taken
  std::size_t bytes() const { return logger.size() + text.size(); }
};

// A call's parameters while it waits for an executor: one buffer, with room kept for the next call.
struct QueuedCall {
  collet_call_params params{};  // the texts' sizes are good, their bytes lie in `buffer` one behind the other
  std::string buffer;
  static constexpr std::size_t kTexts = 5;
};

// The body of a request to a route that takes it as it comes.
struct StreamedBody {
  // Whether the plugin can read of it, or that it is over.
  bool is_here() const { return !bytes.empty() || is_whole; }

  Unsent bytes;             // that the plugin has not read
  bool is_whole = false;    // nothing follows those
  bool is_awaited = false;  // the plugin has asked for more than there was
};

// What a call of a route has besides.
struct RouteState {
  explicit RouteState(registry::WebRequestPtr from) : request(std::move(from)) {
    if (!request->is_streamed) return;
    body = std::make_unique<StreamedBody>();
    body->bytes.append(request->body);
    body->is_whole = request->is_whole;
  }

  const registry::WebRequestPtr request;
  std::vector<collet_http_field> fields;  // of the request, as the plugin is shown them; all of these are guarded by the slot's mutex
  bool has_head = false;                  // the plugin has begun its answer
  std::size_t ahead = 0;                  // bytes of the answer that its client has not taken
  std::unique_ptr<StreamedBody> body;     // null: it is in `request`
  std::condition_variable changed;        // `ahead` has shrunk, more of the body is here, or the call was cancelled or has ended
};

// One call. Plain fields are constant while the call runs, or guarded by `mutex` where it says so.
struct CallSlot {
  std::atomic<CallId> id{0};  // 0: no call runs here
  CallId checked = 0;         // of a call that nobody finds any more and that has not ended; guarded by `mutex`
  std::atomic<const CallOwner*> owner{nullptr};
  std::atomic<bool> cancelled{false};
  std::uint16_t loop = 0;
  std::uint32_t index = 0;
  std::uint32_t generation = 0;  // loop thread
  CallKind kind = CallKind::tool;
  collet_item item = 0;
  std::chrono::steady_clock::time_point began;
  registry::Listener* listener = nullptr;
  const schema::Schema* output = nullptr;  // these three as in registry::Call
  const registry::PrincipalPtr* principal = nullptr;
  unsigned depth = 0;
  CallOwner* counted = nullptr;  // whose in_flight this is
  CallSlot* next = nullptr;      // free list, or queue of an executor
  QueuedCall queued;
  content::Reading reading;
  std::shared_ptr<RouteState> route;  // null of other calls; shared with who waits for its client

  std::mutex mutex;    // guards all below
  bool held = false;   // start() has not returned yet: it delivers itself
  bool begun = false;  // plugin code knows the id
  bool ready = false;  // waits in its loop's list
  bool ended = false;
  bool has_invoked = false;  // others were begun inside of it
  registry::Ending ending;
  std::string failure;  // the first error; it fails the call
  bool out_of_memory = false;  // something of the result is missing for that; the call fails
  std::vector<std::string> field_names;
  std::vector<Notice> notices;
  std::size_t notice_bytes = 0;
  double progress_done = 0;
  bool progress_begun = false;

  std::size_t result_bytes() const;
  // Of the result there is nothing any more.
  void note_out_of_memory();
};

// A running call that its holder has to itself. Short-lived; never kept while plugin code runs.
class LockedCall {
 public:
  LockedCall() = default;
  LockedCall(CallSlot& slot, std::unique_lock<std::mutex> lock) : slot_(&slot), lock_(std::move(lock)) {}
  explicit operator bool() const { return slot_ != nullptr; }
  CallSlot* operator->() { return slot_; }
  // Until `condition` holds, which `changed` tells of; the call may end meanwhile.
  template <class Condition>
  void wait(std::condition_variable& changed, Condition condition) {
    changed.wait(lock_, condition);
  }
  CallSlot& operator*() { return *slot_; }

 private:
  CallSlot* slot_ = nullptr;
  std::unique_lock<std::mutex> lock_;
};

class CallTable {
 public:
  // The loops are borrowed and outlive this.
  explicit CallTable(std::vector<loop::Loop*> loops);
  ~CallTable();
  CallTable(const CallTable&) = delete;
  CallTable& operator=(const CallTable&) = delete;

  std::size_t loops() const { return lanes_.size(); }
  loop::Loop& loop(unsigned index) const { return *lanes_[index]->loop; }

  // [loop] A slot for a new call, counted to `owner`; null if the loop has kCallsInFlightMax already.
  CallSlot* acquire(unsigned loop, CallOwner& owner, registry::Listener& listener, CallKind kind);
  // [loop] Gives the call its id; it begins at once, and settle() will follow.
  CallId open_held(CallSlot& slot);
  // [loop] Gives the call its id; the plugin may not use it until begin().
  CallId open_waiting(CallSlot& slot);
  // [any] A waiting call begins: plugin code is about to get its id.
  void begin(CallSlot& slot);
  // [loop] Ends the hold, delivers what has come up. Returns the id, or 0 if the call has ended.
  CallId settle(CallSlot& slot);

  // [any] The call, if it has begun, has not ended, and is this owner's.
  LockedCall lock(CallId id, const CallOwner& owner);
  // [any] Whether it was asked to end; nothing if it does not run. Takes no lock.
  std::optional<bool> is_cancelled(CallId id, const CallOwner& owner) const;
  // [any] Sets the flag, and tells how far the call has come.
  enum class Progressed : std::uint8_t { waiting, begun, ended };
  Progressed mark_cancelled(CallId id, const CallOwner& owner);

  // [any] Makes the id stale; on_end() follows on the loop thread, with slot.ending as it is.
  void end(LockedCall call) noexcept;
  // [any] As end(), with a failure of the plugin or host.
  void end_failed(LockedCall call, int rpc_code, std::string message) noexcept;
  // [any] So many bytes of a route's answer have left. False: the call has ended.
  bool note_taken(CallId id, const CallOwner& owner, std::size_t bytes);
  // [any, but for loops] Waits until that many bytes of the answer may follow. Returns a status of the ABI.
  std::int32_t wait_for_room(LockedCall& call, CallId id, std::size_t bytes);
  // [any] The next bytes of a body that is streamed. Whether its plugin is to be told: the call has begun, and has not ended.
  bool add_body(CallId id, const CallOwner& owner, std::string_view bytes, bool last);
  // [any] Copies the next bytes of it to `out` and tells the caller that they are taken; how many. None are here: tells, once, that
  // some are waited for.
  std::size_t read_body(LockedCall& call, std::span<char> out);
  // [any, but for loops] Waits until there is something of it to read, or its end. Returns a status of the ABI.
  std::int32_t wait_for_body(LockedCall& call, CallId id);
  // [any] Has the loop deliver the slot's notices.
  void announce(LockedCall& call);

  // [loop] Runs `body` outside of any call, and delivers the calls of this loop that it ends, at once.
  template <class Body>
  void deliver_after(unsigned loop, Body&& body) {
    Lane& lane = *lanes_[loop];
    attend(lane, true);
    body();
    if (attend(lane, false)) deliver_ready(lane);
  }

  // [any] The calls of an owner that have not ended, begun or not.
  std::vector<RunningCall> running(const CallOwner& owner);
  std::vector<RunningCall> running(const CallOwner& owner, unsigned loop);  // those of one loop

 private:
  static constexpr std::size_t kChunkSlots = 64;
  static constexpr std::size_t kChunks = limits::kCallsInFlightMax / kChunkSlots;
  using Chunk = std::array<CallSlot, kChunkSlots>;

  // The slots of one loop.
  struct Lane {
    loop::Loop* loop = nullptr;
    std::array<std::atomic<Chunk*>, kChunks> chunks{};
    std::size_t slots = 0;              // loop thread
    CallSlot* free = nullptr;           // loop thread; last returned first
    std::vector<CallSlot*> delivering;  // loop thread

    std::mutex mutex;              // guards the two below
    std::vector<CallSlot*> ready;  // slots with something to deliver; one post a batch
    bool attended = false;         // they are about to be delivered, without a post
  };

  void tell_body_taken(LockedCall& call, std::size_t bytes);
  template <class Condition>
  static std::int32_t wait_until(LockedCall& call, CallId id, const Condition& condition);
  CallSlot* find(CallId id) const;
  CallId publish(CallSlot& slot);
  LockedCall check(LockedCall call) noexcept;
  LockedCall lock_even_waiting(CallId id, const CallOwner& owner);
  bool grow(Lane& lane, unsigned loop);
  void make_ready(CallSlot& slot);
  // Whether there is something to deliver.
  static bool attend(Lane& lane, bool attended);
  void deliver_ready(Lane& lane);
  void deliver(Lane& lane, CallSlot& slot);
  void finish(Lane& lane, CallSlot& slot);

  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace collet::plugin
