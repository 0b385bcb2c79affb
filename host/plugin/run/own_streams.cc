#include "plugin/run/own_streams.h"

#include <new>
#include <utility>

namespace collet::plugin {

std::int32_t OwnStreams::follow(StreamRead from, Followed told, std::uint64_t& id) {
  const auto follow = std::make_shared<Follow>(Follow{from, std::move(told)});
  {
    const std::lock_guard lock(follows_mutex_);
    if (follows_closed_) return COLLET_E_STATE;
    const bool is_full = follows_.size() >= limits::kFollowsMax || untold_ >= 2 * limits::kFollowsMax;
    if (is_full || !answers().start()) return COLLET_E_LIMIT;
    follows_.emplace(last_follow_ + 1, follow);
    id = ++last_follow_;
    if (!follows_opened_) return COLLET_OK;
  }
  begin_next(id, from);
  return COLLET_OK;
}

std::int32_t OwnStreams::unfollow(std::uint64_t id) {
  FollowPtr follow;  // destroyed when the locks are free
  {
    const std::lock_guard next(next_mutex_);  // what takes its place begins later
    bool begun = false;
    {
      const std::lock_guard lock(follows_mutex_);
      if (const auto found = follows_.find(id); found != follows_.end()) follow = std::move(follows_.extract(found).mapped());
      begun = follow && follows_opened_;
    }
    if (begun) stop_next(id);
  }
  std::unique_lock lock(follows_mutex_);
  if (!answers().is_current()) returned_.wait(lock, [&] { return running_ != id; });
  return follow ? COLLET_OK : COLLET_E_STALE;
}

void OwnStreams::open() {
  Asking::open();
  std::map<std::uint64_t, StreamRead> early;
  {
    const std::lock_guard lock(follows_mutex_);
    for (const auto& [id, follow] : follows_) early.emplace(id, follow->from);
    follows_opened_ = true;
  }
  for (const auto& [id, from] : early) begin_next(id, from);
}

void OwnStreams::end_all() {
  Asking::end_all();
  std::map<std::uint64_t, FollowPtr> left;
  {
    const std::lock_guard lock(follows_mutex_);
    follows_closed_ = true;
    left = follows_;
  }
  for (const auto& [id, follow] : left) end_next(id);
  const std::lock_guard lock(follows_mutex_);
  for (const auto& [id, follow] : left) push_next(id, *follow, {.status = COLLET_E_STATE});
}

// Under the lock what has been unfollowed meanwhile is not begun, and what is unfollowed later is stopped.
void OwnStreams::begin_next(std::uint64_t id, const StreamRead& from) {
  const std::lock_guard lock(next_mutex_);
  if (!is_followed(id)) return;
  try {
    start_next(id, from);
  } catch (const std::bad_alloc&) {
    tell_next(id, {.status = COLLET_E_LIMIT});
  }
}

void OwnStreams::end_next(std::uint64_t id) {
  const std::lock_guard lock(next_mutex_);
  stop_next(id);
}

bool OwnStreams::is_followed(std::uint64_t id) {
  const std::lock_guard lock(follows_mutex_);
  return !follows_closed_ && follows_.contains(id);
}

void OwnStreams::tell_next(std::uint64_t id, StreamAnswer answer) {
  const std::lock_guard lock(follows_mutex_);
  const auto found = follows_.find(id);
  if (found != follows_.end() && !follows_closed_) push_next(id, *found->second, std::move(answer));
}

// With follows_mutex_.
void OwnStreams::push_next(std::uint64_t id, Follow& follow, StreamAnswer answer) {
  follow.next = std::move(answer);
  answers().push([this, id] { deliver(id); });
  ++untold_;
}

// Thread of the answers.
void OwnStreams::deliver(std::uint64_t id) {
  FollowPtr follow;
  StreamAnswer answer;
  {
    const std::lock_guard lock(follows_mutex_);
    --untold_;
    const auto found = follows_.find(id);
    if (found == follows_.end() || !found->second->next) return;
    follow = found->second;
    answer = *std::exchange(follow->next, std::nullopt);
    running_ = id;
  }
  struct Returned {  // also by an exception
    OwnStreams& streams;
    std::uint64_t id;
    Follow& follow;
    const StreamAnswer& answer;
    ~Returned() { streams.go_on(id, follow, answer); }
  } const returned{*this, id, *follow, answer};
  follow->told(id, answer);
}

void OwnStreams::go_on(std::uint64_t id, Follow& follow, const StreamAnswer& answer) {
  {
    const std::lock_guard lock(follows_mutex_);
    running_ = 0;
    returned_.notify_all();
    if (answer.status < 0) follows_.erase(id);
  }
  if (answer.status < 0) return end_next(id);
  if (!answer.page.events.empty()) follow.from.after = answer.page.events.back().sequence;
  begin_next(id, follow.from);
}

}  // namespace collet::plugin
