#include "plugin/run/loop_work.h"

#include <exception>
#include <unordered_map>
#include <variant>

#include "base/log.h"
#include "loop/descriptor_watch.h"
#include "plugin/crash/place.h"
#include "plugin/run/inline_guard.h"

namespace collet::plugin {

using loop::DescriptorWatch;

// The part of one loop.
struct LoopWork::Lane : std::enable_shared_from_this<LoopWork::Lane> {
  using Wait = std::variant<std::unique_ptr<DescriptorWatch>, std::unique_ptr<loop::Timer>>;

  Lane(CallTable& call_table, unsigned loop_index, std::string plugin_name)
      : calls(call_table), index(loop_index), loop(calls.loop(loop_index)), plugin(std::move(plugin_name)) {
    guard.allow();
  }

  CallTable& calls;  // not used when closed
  const unsigned index;
  loop::Loop& loop;
  const std::string plugin;
  InlineGuard guard;          // loop thread
  std::uint64_t last_id = 0;  // loop thread

  std::mutex mutex;  // guards all below; `waits` change on the loop thread alone, but for close()
  std::condition_variable changed;
  bool closed = false;
  bool abandoned = false;
  bool inside = false;  // a callback runs
  std::vector<Callback<void()>> tasks;
  std::unordered_map<std::uint64_t, Wait> waits;

  bool is_quiet() const { return !inside && waits.empty(); }

  // A new wait, made by `make` with its id.
  template <class Make>
  std::int32_t add(std::uint64_t& out, Make&& make) {
    const std::lock_guard lock(mutex);
    if (closed) return COLLET_E_STATE;
    if (waits.size() >= limits::kLoopWaitsMax) return COLLET_E_LIMIT;
    const std::uint64_t id = ++last_id << 8 | index;
    std::optional<Wait> wait = make(id);
    if (!wait) return COLLET_E_INVALID;
    waits.emplace(id, std::move(*wait));
    out = id;
    return COLLET_OK;
  }

  void run_tasks() {
    std::vector<Callback<void()>> running;
    {
      const std::lock_guard lock(mutex);
      running.swap(tasks);
    }
    for (Callback<void()>& task : running) enter(0, task);
  }

  // Runs plugin code; `timer` is stale before that.
  template <class Code>
  void enter(std::uint64_t timer, Code&& code) {
    {
      const std::lock_guard lock(mutex);
      if (closed) return;
      if (timer) waits.erase(timer);
      inside = true;
    }
    const LoopTime before = LoopTime::now(guard.take_watch());
    calls.deliver_after(index, [&] {
      const crash::Place place(plugin, {"what it runs on a loop"});
      try {
        code();
      } catch (...) {  // as of call(): where the plugin was built so that it can be unwound
        log::error("plugin {}: what it runs on a loop threw an exception", plugin);
      }
    });
    const LoopTime after = LoopTime::now(before.watched);
    if (overran(before, after)) note_overrun(after.wall - before.wall);
    const std::lock_guard lock(mutex);
    inside = false;
    if (closed) changed.notify_all();
  }

  void note_overrun(Clock::duration took) {
    if (!guard.note_overrun()) return;
    log::warning(
        "plugin {}: what it runs on a loop has kept that for more than {} µs {} times, now for {} µs: calls wait",
        plugin, limits::kInlineBudgetUs, limits::kInlineOverrunsMax,
        std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  }

  void take_away() {
    const std::lock_guard lock(mutex);
    waits.clear();
    changed.notify_all();
  }
};

LoopWork::LoopWork(CallTable& calls, std::string plugin)
    : lanes_([&] {
        std::vector<std::shared_ptr<Lane>> lanes;
        for (unsigned i = 0; i < calls.loops(); ++i) lanes.push_back(std::make_shared<Lane>(calls, i, plugin));
        return lanes;
      }()) {}

LoopWork::~LoopWork() {
  for (const auto& lane : lanes_) {
    const std::lock_guard lock(lane->mutex);
    COLLET_ASSERT(lane->is_quiet());
    lane->closed = true;
  }
}

LoopWork::Lane* LoopWork::current_lane() const {
  const loop::Loop* here = loop::Loop::current();
  if (!here) return nullptr;
  for (const auto& lane : lanes_) {
    if (&lane->loop == here) return lane.get();
  }
  return nullptr;
}

std::int32_t LoopWork::current() const {
  const Lane* lane = current_lane();
  return lane ? static_cast<std::int32_t>(lane->index) : COLLET_E_STATE;
}

std::int32_t LoopWork::post(unsigned loop, Callback<void()> task) {
  if (loop >= lanes_.size()) return COLLET_E_INVALID;
  Lane& lane = *lanes_[loop];
  const std::lock_guard lock(lane.mutex);
  if (lane.closed) return COLLET_E_STATE;
  if (lane.tasks.size() >= limits::kLoopTasksMax) return COLLET_E_LIMIT;
  lane.tasks.push_back(std::move(task));
  if (lane.tasks.size() == 1) lane.loop.post([kept = lane.shared_from_this()] { kept->run_tasks(); });
  return COLLET_OK;
}

std::int32_t LoopWork::watch(int descriptor, unsigned events, Callback<void(unsigned)> ready, std::uint64_t& out) {
  Lane* const lane = current_lane();
  if (!lane) return COLLET_E_STATE;
  return lane->add(out, [&](std::uint64_t) -> std::optional<Lane::Wait> {
    auto watch = DescriptorWatch::open(
        lane->loop, descriptor, events,
        [lane, ready = std::move(ready)](unsigned what) mutable { lane->enter(0, [&] { ready(what); }); });
    if (!watch) return std::nullopt;
    return std::move(*watch);
  });
}

std::int32_t LoopWork::rewatch(std::uint64_t watch, unsigned events) {
  Lane* const lane = current_lane();
  if (!lane) return COLLET_E_STATE;
  const std::lock_guard lock(lane->mutex);
  if (lane->closed) return COLLET_E_STATE;
  const auto found = lane->waits.find(watch);
  if (found == lane->waits.end()) return COLLET_E_STALE;
  const auto* descriptor = std::get_if<std::unique_ptr<DescriptorWatch>>(&found->second);
  if (!descriptor) return COLLET_E_STALE;
  return (*descriptor)->want(events) ? COLLET_OK : COLLET_E_INVALID;
}

std::int32_t LoopWork::start_timer(std::uint64_t after_ms, Callback<void()> task, std::uint64_t& out) {
  Lane* const lane = current_lane();
  if (!lane) return COLLET_E_STATE;
  return lane->add(out, [&](std::uint64_t id) -> std::optional<Lane::Wait> {
    auto timer = std::make_unique<loop::Timer>(lane->loop);
    // A timer of 0 would be due in the same turn: one that sets itself again would keep the loop for ever.
    timer->start(std::max<std::uint64_t>(after_ms, 1),
                 [lane, id, task = std::move(task)]() mutable { lane->enter(id, task); });
    return timer;
  });
}

std::int32_t LoopWork::unwait(std::uint64_t wait) {
  Lane* const lane = current_lane();
  if (!lane) return COLLET_E_STATE;
  const std::lock_guard lock(lane->mutex);
  if (lane->closed) return COLLET_E_STATE;
  return lane->waits.erase(wait) > 0 ? COLLET_OK : COLLET_E_STALE;
}

bool LoopWork::close(Clock::time_point deadline) {
  for (const auto& lane : lanes_) {
    const std::lock_guard lock(lane->mutex);
    lane->closed = true;
    lane->tasks.clear();
    if (!lane->is_quiet()) lane->loop.post([lane] { lane->take_away(); });
  }
  for (const auto& lane : lanes_) {
    std::unique_lock lock(lane->mutex);
    lane->changed.wait_until(lock, deadline, [&] { return lane->abandoned || lane->is_quiet(); });
    if (lane->abandoned && !lane->inside) {
      static std::mutex one_at_a_time;  // a loop that has ended belongs to whoever takes something away from it
      const std::lock_guard alone(one_at_a_time);
      lane->waits.clear();
    }
    if (!lane->is_quiet()) return false;
  }
  return true;
}

void LoopWork::abandon() {
  for (const auto& lane : lanes_) {
    const std::lock_guard lock(lane->mutex);
    lane->abandoned = true;
    lane->changed.notify_all();
  }
}

}  // namespace collet::plugin
