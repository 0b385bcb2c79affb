#include "plugin/replace/drain.h"

#include <algorithm>

#include "base/log.h"

namespace collet::plugin {
namespace {

constexpr std::size_t kCallsNamed = 8;  // of one generation

}  // namespace

void Adoption::arrive() const {
  const std::lock_guard lock(state_->mutex);
  state_->arrived = true;
  state_->changed.notify_all();
}

void Adoption::wait() const {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return state_->arrived; });
}

bool Adoption::wait_until(Clock::time_point deadline) const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_until(lock, deadline, [&] { return state_->arrived; });
}

Drain::~Drain() { COLLET_ASSERT(entries_.empty()); }

void Drain::add(std::unique_ptr<Generation> generation, Adoption adoption, Patience patience) {
  join_ended();
  const std::lock_guard lock(mutex_);
  Entry& entry = *entries_.emplace_back(std::make_unique<Entry>());
  entry.plugin = generation->name();
  entry.number = generation->number();
  entry.generation = std::move(generation);
  entry.adoption = adoption;
  if (loops_abandoned_) {
    adoption.arrive();
    entry.generation->abandon_delivery();
  }
  entry.thread = start_thread("drain", [this, &entry, patience] { end(entry, patience); });
}

void Drain::end(Entry& entry, Patience patience) {
  entry.adoption.wait();
  Generation& generation = *entry.generation;
  if (const auto closed = generation.close(patience); !closed) return note_end(entry, closed.message());
  const bool delivered = generation.wait_delivered();
  std::unique_ptr<Generation> gone;
  {
    const std::lock_guard lock(mutex_);
    gone = std::move(entry.generation);
    if (!generation.mapped_because().empty()) {
      left_behind_.push_back({gone->name(), gone->number(), gone->mapped_because()});
    }
    if (!delivered) kept_.push_back(std::move(gone));
  }
  gone.reset();
  note_end(entry, {});
}

// With a problem the generation is stuck, and leaked.
void Drain::note_end(Entry& entry, std::string problem) {
  const std::lock_guard lock(mutex_);
  if (!problem.empty()) {
    const Generation* stuck = entry.generation.release();
    log::warning("plugin {}: generation {} was not unloaded: {}; its library stays mapped", stuck->name(),
                 stuck->number(), problem);
    left_behind_.push_back({stuck->name(), stuck->number(), std::move(problem), true});
  }
  entry.ended = true;
  changed_.notify_all();
}

void Drain::leave(std::unique_ptr<Generation> generation, std::string reason) {
  const std::lock_guard lock(mutex_);
  const Generation* stuck = generation.release();
  left_behind_.push_back({stuck->name(), stuck->number(), std::move(reason), true});
}

void Drain::join_ended() {
  std::vector<std::unique_ptr<Entry>> ended;
  {
    const std::lock_guard lock(mutex_);
    const auto first =
        std::stable_partition(entries_.begin(), entries_.end(), [](const auto& e) { return !e->ended; });
    std::move(first, entries_.end(), std::back_inserter(ended));
    entries_.erase(first, entries_.end());
  }
  for (const auto& entry : ended) entry->thread.join();
}

std::vector<Draining> Drain::draining() const {
  const std::lock_guard lock(mutex_);
  std::vector<Draining> all;
  for (const auto& entry : entries_) {
    if (entry->ended) continue;
    Draining& draining = all.emplace_back(Draining{entry->plugin, entry->number, 0, {}});
    if (!entry->generation) continue;  // it is just being destroyed
    draining.calls = entry->generation->calls_in_flight();
    draining.waits_for = entry->generation->describe_calls(kCallsNamed);
  }
  return all;
}

std::vector<LeftBehind> Drain::left_behind() const {
  const std::lock_guard lock(mutex_);
  return left_behind_;
}

unsigned Drain::draining_of(std::string_view plugin) const {
  const std::lock_guard lock(mutex_);
  return static_cast<unsigned>(std::count_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry->generation && entry->plugin == plugin;
  }));
}

unsigned Drain::left_behind_of(std::string_view plugin) const {
  const std::lock_guard lock(mutex_);
  return static_cast<unsigned>(std::count_if(left_behind_.begin(), left_behind_.end(),
                                             [&](const LeftBehind& left) { return left.plugin == plugin; }));
}

bool Drain::wait_for(const std::string& plugin, std::uint64_t number) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return std::none_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
      return !entry->ended && entry->plugin == plugin && entry->number == number;
    });
  });
  return std::none_of(left_behind_.begin(), left_behind_.end(), [&](const LeftBehind& left) {
    return left.stuck && left.plugin == plugin && left.number == number;
  });
}

void Drain::hurry() {
  const std::lock_guard lock(mutex_);
  for (const auto& entry : entries_) {
    if (entry->generation) entry->generation->hurry();
  }
}

void Drain::abandon_loops() {
  const std::lock_guard lock(mutex_);
  loops_abandoned_ = true;
  for (const auto& entry : entries_) {
    entry->adoption.arrive();
    if (entry->generation) entry->generation->abandon_delivery();
  }
}

std::vector<std::string> Drain::finish(Clock::time_point deadline) {
  std::vector<std::string> left;
  {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, deadline, [&] {
      return std::all_of(entries_.begin(), entries_.end(), [](const auto& entry) { return entry->ended; });
    });
    for (auto& entry : entries_) {
      if (entry->ended) continue;
      left.push_back(fmt::format("plugin {} was not unloaded: generation {} has not ended in time", entry->plugin,
                                 entry->number));
      entry->thread.detach();
      in_use_ = true;
      static_cast<void>(entry.release());  // its thread still uses it
    }
    std::erase(entries_, nullptr);
    for (const LeftBehind& behind : left_behind_) {
      if (behind.stuck) left.push_back(fmt::format("plugin {} was not unloaded: {}", behind.plugin, behind.reason));
    }
  }
  join_ended();
  return left;
}

}  // namespace collet::plugin
