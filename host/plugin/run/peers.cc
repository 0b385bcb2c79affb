#include "plugin/run/peers.h"

namespace collet::plugin {

Outcome Outcome::failed(std::string message) {
  Outcome outcome;
  outcome.how = registry::Ending::How::failed;
  outcome.rpc_code = kInternalError;
  outcome.message = std::move(message);
  return outcome;
}

void Peers::open() {
  const std::lock_guard lock(mutex_);
  created_ = true;
}

// what the plugin wants

// The call is locked until it has begun, so that its end and its cancellation find what was begun inside of it.
template <class Start>
std::int32_t Peers::begin(CallId inside_of, OpenPtr open, std::uint64_t& id, Start&& start) {
  LockedCall call = inside_of ? calls_.lock(inside_of, owner_) : LockedCall();
  if (inside_of && !call) return COLLET_E_STALE;
  if (call && call->cancelled.load(std::memory_order_relaxed)) return COLLET_E_STATE;
  std::uint64_t begun = 0;
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || !created_) return COLLET_E_STATE;
    if (open_.size() >= limits::kInvocationsMax || !answers_.start()) return COLLET_E_LIMIT;
    begun = ++last_id_;
    open_.emplace(begun, open);
  }
  if (call) call->has_invoked = true;
  std::int32_t status = COLLET_OK;
  try {
    status = start(begun, call);
  } catch (...) {  // for want of memory: nobody will tell its end
    if (take(begun)) throw;
  }
  if (status < 0 && take(begun)) return status;  // else it has been told meanwhile that it has ended
  id = begun;
  bool cancelled;
  {
    const std::lock_guard lock(mutex_);
    cancelled = open->cancelled;
  }
  if (cancelled) stop(begun, registry::CancelReason::client);  // before there was something to be stopped
  return COLLET_OK;
}

std::int32_t Peers::invoke(CallId inside_of, registry::Order order, Ended ended, Progressed progressed,
                           std::uint64_t& id) {
  auto open = std::make_shared<Open>();
  open->inside_of = inside_of;
  open->kind = order.kind;
  open->ended = std::move(ended);
  open->progressed = std::move(progressed);
  return begin(inside_of, std::move(open), id,
               [&](std::uint64_t begun, LockedCall& call) { return start(begun, call, std::move(order)); });
}

std::int32_t Peers::list(CallId inside_of, ListOrder order, Listed listed) {
  auto open = std::make_shared<Open>();
  open->inside_of = inside_of;
  open->listed = std::move(listed);
  std::uint64_t id = 0;
  return begin(inside_of, std::move(open), id,
               [&](std::uint64_t begun, LockedCall& call) { return start_list(begun, call, std::move(order)); });
}

std::int32_t Peers::cancel(std::uint64_t id) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(id);
    if (found == open_.end() || !found->second->ended) return COLLET_E_STALE;
    if (std::exchange(found->second->cancelled, true)) return COLLET_OK;
  }
  stop(id, registry::CancelReason::client);
  return COLLET_OK;
}

std::int32_t Peers::watch(unsigned kinds, Changed changed) {
  bool first = false;
  {
    std::unique_lock lock(mutex_);
    if (changed && closed_) return COLLET_E_STATE;
    if (changed && !answers_.start()) return COLLET_E_LIMIT;
    watcher_ = changed ? std::make_shared<Changed>(std::move(changed)) : nullptr;
    watched_kinds_ = kinds;
    first = watcher_ && !std::exchange(watching_, true);
    if (!answers_.is_current()) watcher_returned_.wait(lock, [&] { return !watcher_runs_; });
  }
  if (!first) return COLLET_OK;
  try {
    start_watch();
  } catch (...) {
    const std::lock_guard lock(mutex_);
    watching_ = false;
    throw;
  }
  return COLLET_OK;
}

void Peers::cancel_inside(CallId call, registry::CancelReason reason) {
  std::vector<std::uint64_t> inside;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, open] : open_) {
      if (open->inside_of == call && open->ended && !std::exchange(open->cancelled, true)) inside.push_back(id);
    }
  }
  for (const std::uint64_t id : inside) stop(id, reason);
}

// what it is told

Peers::OpenPtr Peers::take(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end()) return nullptr;
  return std::move(open_.extract(found).mapped());
}

void Peers::tell_progress(std::uint64_t id, double done, double total, std::string_view message) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end() || !found->second->progressed) return;
  const OpenPtr open = found->second;
  const bool waits = open->latest.has_value();
  open->latest = {done, total, std::string(message)};
  if (waits) return;
  answers_.push([this, open] {
    Open::Latest latest;
    {
      const std::lock_guard inside(mutex_);
      latest = std::move(*std::exchange(open->latest, std::nullopt));
    }
    open->progressed({latest.done, latest.total, latest.message});
  });
}

void Peers::tell_end(std::uint64_t id, Outcome outcome) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  const OpenPtr open = found->second;
  outcome.id = id;
  outcome.inside_of = open->inside_of;
  outcome.kind = open->kind;
  open->outcome = std::move(outcome);
  answers_.push([open] { open->ended(open->outcome); });
  open_.erase(found);  // the last: what could not be told for want of memory is still open
}

void Peers::tell_listed(std::uint64_t id, std::int32_t status, std::string json) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  const OpenPtr open = found->second;
  open->outcome.result = std::move(json);
  answers_.push([open, status] { open->listed(status, open->outcome.result); });
  open_.erase(found);
}

void Peers::hand_over(std::uint64_t id, const std::string& json) {
  if (const OpenPtr open = take(id)) open->listed(COLLET_OK, json);
}

void Peers::tell_changed(std::uint64_t revision, unsigned kinds) {
  {
    const std::lock_guard lock(mutex_);
    changed_kinds_ |= kinds;
    if (std::exchange(revision_, revision) != 0) return;
  }
  answers_.push([this] { tell_watcher(); });
}

void Peers::tell_watcher() {
  std::unique_lock lock(mutex_);
  const std::uint64_t now = std::exchange(revision_, 0);
  const unsigned changed = std::exchange(changed_kinds_, 0) & watched_kinds_;
  const std::shared_ptr<Changed> watcher = watcher_;
  if (!changed || !watcher) return;
  watcher_runs_ = true;
  lock.unlock();
  struct Returned {  // also by an exception
    Peers& peers;
    ~Returned() {
      const std::lock_guard again(peers.mutex_);
      peers.watcher_runs_ = false;
      peers.watcher_returned_.notify_all();
    }
  } const returned{*this};
  (*watcher)(now, changed);
}

void Peers::end_all() {
  std::map<std::uint64_t, OpenPtr> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    watcher_.reset();
    left = open_;
  }
  for (const auto& [id, open] : left) {
    if (open->ended) stop(id, registry::CancelReason::shutdown);
  }
  detach();
  for (const auto& [id, open] : left) {
    if (open->ended) {
      tell_end(id, Outcome::failed(fmt::format("plugin {} is being unloaded", owner_.name)));
    } else {
      tell_listed(id, COLLET_E_STATE, {});
    }
  }
}

}  // namespace collet::plugin
