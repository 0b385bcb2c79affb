#include "plugin/run/call_table.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/assert.h"
#include "base/freed_memory.h"
#include "base/log.h"
#include "registry/definition.h"

namespace collet::plugin {
namespace {

constexpr CallId make_id(const CallSlot& slot) {
  return static_cast<CallId>(slot.generation) << 32 | static_cast<CallId>(slot.loop) << 24 | slot.index;
}

// Empties a string and keeps its room, unless that is more than a common result needs.
void recycle(std::string& text) {
  text.clear();
  if (text.capacity() <= limits::kCallRetainedBytesMax) return;
  freed_memory::note(text.capacity());
  std::string().swap(text);
}

void recycle(CallSlot& slot) {
  registry::Ending& ending = slot.ending;
  for (std::string* text :
       {&ending.content, &ending.structured, &ending.meta, &ending.fields, &ending.message, &ending.data,
        &ending.state, &slot.failure, &slot.reading.uri, &slot.reading.mime, &slot.queued.buffer}) {
    recycle(*text);
  }
  ending.how = registry::Ending::How::completed;
  ending.misfit.reset();
  ending.is_error = false;
  ending.rpc_code = 0;
  ending.input_requests.clear();
  ending.state_version = 0;
  slot.field_names.clear();
  slot.notices.clear();
  slot.notice_bytes = 0;
  slot.progress_done = 0;
  slot.progress_begun = false;
  slot.ended = false;
  slot.has_invoked = false;
  slot.out_of_memory = false;
  slot.route.reset();
}

// A call that its loop holds is left to the loop.
bool is_to_be_checked(const CallSlot& slot) {
  const registry::Ending& ending = slot.ending;
  return slot.output && !slot.held && !slot.out_of_memory && slot.failure.empty() && !ending.is_error &&
         ending.how == registry::Ending::How::completed && ending.structured.size() > limits::kCheckedOnLoopBytesMax;
}

void hand_out(registry::Listener& listener, std::vector<Notice>& notices) {
  for (Notice& notice : notices) {
    switch (notice.kind) {
      case Notice::Kind::progress:
        listener.on_progress({notice.done, notice.total, notice.text});
        break;
      case Notice::Kind::log:
        listener.on_log({notice.severity, notice.logger, notice.text});
        break;
      case Notice::Kind::close_stream:
        listener.on_close_stream(notice.retry_ms);
        break;
      case Notice::Kind::head:
        listener.on_answer_head(std::move(*notice.head));
        break;
      case Notice::Kind::bytes:
        listener.on_answer_bytes(notice.text);
        break;
      case Notice::Kind::body_taken:
        listener.on_body_taken(notice.taken);
        break;
    }
  }
}

}  // namespace

CallOwner::CallOwner(std::string plugin_name, std::size_t loop_count)
    : name(std::move(plugin_name)), in_flight(new Count[loop_count]), loops(loop_count) {}

unsigned CallOwner::calls_in_flight() const {
  unsigned sum = 0;
  for (std::size_t i = 0; i < loops; ++i) sum += in_flight[i].calls.load(std::memory_order_relaxed);
  return sum;
}

void CallOwner::note_error() {
  if (erred) erred();
  unsigned left = errors_left.load(std::memory_order_relaxed);
  while (left > 0 && !errors_left.compare_exchange_weak(left, left - 1)) {
  }
  if (left == 1) given_up();
}

void CallOwner::give_up() {
  if (errors_left.exchange(0) > 0) given_up();
}

std::size_t CallSlot::result_bytes() const {
  return ending.content.size() + ending.structured.size() + ending.meta.size() + ending.fields.size();
}

void CallSlot::note_out_of_memory() {
  out_of_memory = true;
  static_cast<void>(std::exchange(ending, {}));  // an assignment would keep the strings' memory
}

CallTable::CallTable(std::vector<loop::Loop*> loops) {
  COLLET_ASSERT(loops.size() <= limits::kLoopsMax);
  for (loop::Loop* loop : loops) {
    lanes_.push_back(std::make_unique<Lane>());
    lanes_.back()->loop = loop;
  }
}

CallTable::~CallTable() {
  for (auto& lane : lanes_) {
    for (auto& chunk : lane->chunks) delete chunk.load();
  }
}

bool CallTable::grow(Lane& lane, unsigned loop) {
  if (lane.slots == kChunkSlots * kChunks) return false;
  auto* chunk = new Chunk;
  for (std::size_t i = kChunkSlots; i-- > 0;) {
    CallSlot& slot = (*chunk)[i];
    slot.loop = static_cast<std::uint16_t>(loop);
    slot.index = static_cast<std::uint32_t>(lane.slots + i);
    slot.next = lane.free;
    lane.free = &slot;
  }
  lane.chunks[lane.slots / kChunkSlots].store(chunk, std::memory_order_release);
  lane.slots += kChunkSlots;
  return true;
}

CallSlot* CallTable::acquire(unsigned loop, CallOwner& owner, registry::Listener& listener, CallKind kind) {
  COLLET_ASSERT(loop < lanes_.size());
  Lane& lane = *lanes_[loop];
  if (!lane.free && !grow(lane, loop)) return nullptr;
  CallSlot& slot = *lane.free;
  lane.free = slot.next;
  slot.next = nullptr;
  slot.kind = kind;
  slot.listener = &listener;
  slot.counted = &owner;
  slot.owner.store(&owner, std::memory_order_relaxed);
  slot.cancelled.store(false, std::memory_order_relaxed);
  std::atomic<unsigned>& count = owner.in_flight[loop].calls;
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return &slot;
}

CallId CallTable::publish(CallSlot& slot) {
  if (++slot.generation == 0) slot.generation = 1;  // so that no id is 0
  const CallId id = make_id(slot);
  slot.id.store(id, std::memory_order_release);
  return id;
}

CallId CallTable::open_held(CallSlot& slot) {
  slot.held = true;
  slot.begun = true;
  return publish(slot);
}

CallId CallTable::open_waiting(CallSlot& slot) {
  slot.held = false;
  slot.begun = false;
  return publish(slot);
}

void CallTable::begin(CallSlot& slot) {
  const std::lock_guard lock(slot.mutex);
  slot.begun = true;
}

CallId CallTable::settle(CallSlot& slot) {
  Lane& lane = *lanes_[slot.loop];
  // A stale id while we hold the slot: nobody else touches it any more, no lock needed.
  if (slot.id.load(std::memory_order_acquire) != 0) {
    const std::lock_guard lock(slot.mutex);
    slot.held = false;
    if (!slot.ended) {
      if (!slot.notices.empty()) make_ready(slot);
      return make_id(slot);
    }
  }
  hand_out(*slot.listener, slot.notices);
  finish(lane, slot);
  return 0;
}

CallSlot* CallTable::find(CallId id) const {
  const auto loop = static_cast<unsigned>(id >> 24 & 0xff);
  const auto index = static_cast<std::size_t>(id & 0xffffff);
  if (id == 0 || loop >= lanes_.size() || index >= kChunkSlots * kChunks) return nullptr;
  Chunk* chunk = lanes_[loop]->chunks[index / kChunkSlots].load(std::memory_order_acquire);
  if (!chunk) return nullptr;
  CallSlot& slot = (*chunk)[index % kChunkSlots];
  return slot.id.load(std::memory_order_acquire) == id ? &slot : nullptr;
}

LockedCall CallTable::lock_even_waiting(CallId id, const CallOwner& owner) {
  CallSlot* slot = find(id);
  if (!slot) return {};
  std::unique_lock lock(slot->mutex);
  if (slot->id.load(std::memory_order_relaxed) != id || slot->owner.load(std::memory_order_relaxed) != &owner) {
    return {};
  }
  return {*slot, std::move(lock)};
}

LockedCall CallTable::lock(CallId id, const CallOwner& owner) {
  LockedCall call = lock_even_waiting(id, owner);
  return call && call->begun ? std::move(call) : LockedCall();
}

std::optional<bool> CallTable::is_cancelled(CallId id, const CallOwner& owner) const {
  const CallSlot* slot = find(id);
  if (!slot || slot->owner.load(std::memory_order_relaxed) != &owner) return std::nullopt;
  return slot->cancelled.load(std::memory_order_relaxed);
}

CallTable::Progressed CallTable::mark_cancelled(CallId id, const CallOwner& owner) {
  LockedCall call = lock_even_waiting(id, owner);
  if (!call) return Progressed::ended;
  call->cancelled.store(true, std::memory_order_relaxed);
  if (call->route) call->route->changed.notify_all();
  return call->begun ? Progressed::begun : Progressed::waiting;
}

// Finds out whether a large result is what its tool has promised: by the thread that ends the call, so that its loop need
// not. Nobody finds the call meanwhile, or waits for it.
LockedCall CallTable::check(LockedCall call) noexcept {
  CallSlot& slot = *call;
  slot.checked = slot.id.exchange(0, std::memory_order_acq_rel);
  call = {};
  try {
    slot.ending.misfit = registry::check_structured(*slot.output, slot.ending.structured).value_or("");
  } catch (const std::bad_alloc&) {
    slot.out_of_memory = true;
  }
  return {slot, std::unique_lock(slot.mutex)};
}

void CallTable::end(LockedCall call) noexcept {
  if (is_to_be_checked(*call) && !lanes_[call->loop]->loop->is_current()) call = check(std::move(call));
  CallSlot& slot = *call;
  CallOwner& owner = *slot.counted;
  const bool draining = owner.draining.load(std::memory_order_relaxed);
  if (slot.out_of_memory) {
    slot.note_out_of_memory();  // whatever was said since then
    slot.ending.how = registry::Ending::How::failed;
    slot.ending.rpc_code = kInternalError;
    slot.ending.message = "The server is out of memory";
  } else if (!slot.failure.empty() && slot.ending.how != registry::Ending::How::failed) {
    slot.ending.how = registry::Ending::How::failed;
    slot.ending.rpc_code = kInternalError;
    slot.ending.message.swap(slot.failure);
    owner.note_error();
  }
  if (slot.has_invoked) owner.leaves_invocations(make_id(slot));
  slot.ended = true;
  slot.checked = 0;
  if (slot.route) slot.route->changed.notify_all();  // whoever waits looks when the lock is free
  if (!slot.held) make_ready(slot);
  // Last: with the id gone start() may take the slot back without the lock.
  slot.id.store(0, std::memory_order_release);
  call = {};
  if (draining) {
    const std::lock_guard lock(owner.drain_mutex);
    owner.drained.notify_all();
  }
}

void CallTable::end_failed(LockedCall call, int rpc_code, std::string message) noexcept {
  call->ending.how = registry::Ending::How::failed;
  call->ending.rpc_code = rpc_code;
  call->ending.message = std::move(message);
  end(std::move(call));
}

bool CallTable::note_taken(CallId id, const CallOwner& owner, std::size_t bytes) {
  LockedCall call = lock_even_waiting(id, owner);
  if (!call || !call->route) return false;
  RouteState& route = *call->route;
  route.ahead -= std::min(bytes, route.ahead);
  route.changed.notify_all();
  return true;
}

// Until the condition holds of the call's route, or the call is to end, or has.
template <class Condition>
std::int32_t CallTable::wait_until(LockedCall& call, CallId id, const Condition& condition) {
  const std::shared_ptr<RouteState> route = call->route;
  const auto status = [&]() -> std::optional<std::int32_t> {
    if (call->id.load(std::memory_order_relaxed) != id) return COLLET_E_STALE;
    if (call->cancelled.load(std::memory_order_relaxed)) return COLLET_E_STATE;
    return condition(*route) ? std::optional(COLLET_OK) : std::nullopt;
  };
  call.wait(route->changed, [&] { return status().has_value(); });
  return *status();
}

std::int32_t CallTable::wait_for_room(LockedCall& call, CallId id, std::size_t bytes) {
  return wait_until(call, id, [&](const RouteState& route) { return route.ahead + bytes <= limits::kRouteAheadBytesMax; });
}

bool CallTable::add_body(CallId id, const CallOwner& owner, std::string_view bytes, bool last) {
  LockedCall call = lock_even_waiting(id, owner);
  if (!call || !call->route || !call->route->body) return false;
  RouteState& route = *call->route;
  route.body->bytes.append(bytes);
  route.body->is_whole = last;
  route.changed.notify_all();
  return call->begun;
}

std::size_t CallTable::read_body(LockedCall& call, std::span<char> out) {
  StreamedBody& body = *call->route->body;
  const std::size_t reads = std::min(out.size(), body.bytes.size());
  // First: what there is no memory to tell of stays.
  if (reads > 0 || !(body.is_whole || std::exchange(body.is_awaited, true))) tell_body_taken(call, reads);
  for (std::size_t read = 0; read < reads;) {
    const std::string_view piece = body.bytes.front().substr(0, reads - read);
    std::memcpy(out.data() + read, piece.data(), piece.size());
    body.bytes.drop(piece.size());
    read += piece.size();
  }
  return reads;
}

void CallTable::tell_body_taken(LockedCall& call, std::size_t bytes) {
  auto& notices = call->notices;
  if (notices.empty() || notices.back().kind != Notice::Kind::body_taken) notices.push_back({.kind = Notice::Kind::body_taken});
  notices.back().taken += bytes;
  announce(call);
}

std::int32_t CallTable::wait_for_body(LockedCall& call, CallId id) {
  read_body(call, {});
  return wait_until(call, id, [](const RouteState& route) { return route.body->is_here(); });
}

void CallTable::announce(LockedCall& call) {
  if (!call->held) make_ready(*call);
}

void CallTable::make_ready(CallSlot& slot) {
  if (slot.ready) return;
  Lane& lane = *lanes_[slot.loop];
  const std::lock_guard lock(lane.mutex);
  lane.ready.push_back(&slot);
  slot.ready = true;
  if (lane.ready.size() == 1 && !lane.attended) lane.loop->post([this, &lane] { deliver_ready(lane); });
}

bool CallTable::attend(Lane& lane, bool attended) {
  const std::lock_guard lock(lane.mutex);
  lane.attended = attended;
  return !lane.ready.empty();
}

void CallTable::deliver_ready(Lane& lane) {
  // Taken out of the lane, since a listener may run the loop's code that ends further calls.
  std::vector<CallSlot*> batch = std::move(lane.delivering);
  {
    const std::lock_guard lock(lane.mutex);
    batch.swap(lane.ready);
  }
  for (CallSlot* slot : batch) deliver(lane, *slot);
  batch.clear();
  lane.delivering = std::move(batch);
}

void CallTable::deliver(Lane& lane, CallSlot& slot) {
  std::vector<Notice> notices;
  bool ended;
  {
    const std::lock_guard lock(slot.mutex);
    notices.swap(slot.notices);
    slot.notice_bytes = 0;
    slot.ready = false;
    ended = slot.ended;
  }
  try {
    hand_out(*slot.listener, notices);
  } catch (const std::bad_alloc&) {  // those that are left are left out
  }
  if (ended) finish(lane, slot);
}

void CallTable::finish(Lane& lane, CallSlot& slot) {
  try {
    slot.listener->on_end(slot.ending);
  } catch (const std::bad_alloc&) {  // the plugin is not to wait for it
    log::error("out of memory: a call ends without an answer");
  }
  recycle(slot);
  slot.owner.store(nullptr, std::memory_order_relaxed);
  slot.next = lane.free;
  lane.free = &slot;
  CallOwner& owner = *slot.counted;
  std::atomic<unsigned>& count = owner.in_flight[slot.loop].calls;
  if (!owner.draining.load(std::memory_order_relaxed)) {
    count.store(count.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    return;
  }
  // Under the lock, as the owner may be gone once its last call is.
  const std::lock_guard lock(owner.drain_mutex);
  count.store(count.load(std::memory_order_relaxed) - 1, std::memory_order_release);
  owner.drained.notify_all();
}

std::vector<RunningCall> CallTable::running(const CallOwner& owner) {
  std::vector<RunningCall> calls;
  for (unsigned loop = 0; loop < lanes_.size(); ++loop) {
    const auto more = running(owner, loop);
    calls.insert(calls.end(), more.begin(), more.end());
  }
  return calls;
}

std::vector<RunningCall> CallTable::running(const CallOwner& owner, unsigned loop) {
  std::vector<RunningCall> calls;
  for (auto& entry : lanes_[loop]->chunks) {
    Chunk* chunk = entry.load(std::memory_order_acquire);
    if (!chunk) break;
    for (CallSlot& slot : *chunk) {
      const CallId id = slot.id.load(std::memory_order_acquire);
      if (const LockedCall call = lock_even_waiting(id, owner)) {
        calls.push_back({id, slot.item, slot.began});
        continue;
      }
      const std::lock_guard lock(slot.mutex);
      const bool is_checked = slot.checked && slot.owner.load(std::memory_order_relaxed) == &owner;
      if (is_checked) calls.push_back({slot.checked, slot.item, slot.began});
    }
  }
  return calls;
}

}  // namespace collet::plugin
