#include "client/auth/file_locks.h"

#include <utility>

#include <collet/kit/loop.hpp>

#include "client/auth/limits.h"

namespace collet::client::auth {

LoopFileLocks::LoopFileLocks(uv_loop_s* loop) : loop_(loop), timer_(new uv_timer_t) {
  uv_timer_init(loop_, timer_);
  timer_->data = this;
}

LoopFileLocks::~LoopFileLocks() {
  kit::close_and_delete(timer_, *timer_);
}

void LoopFileLocks::take(std::string path, std::uint64_t timeout_ms, Done done) {
  Result<std::optional<FileLock>> lock = FileLock::try_take(path);
  if (!lock) return done(lock.failure());
  if (*lock) return done(std::move(**lock));
  uv_update_time(loop_);
  waiting_.push_back({std::move(path), timeout_ms, uv_now(loop_) + timeout_ms, std::move(done)});
  if (uv_is_active(reinterpret_cast<uv_handle_t*>(timer_))) return;
  // The kernel tells nobody that a lock is free, except who blocks on it.
  uv_timer_start(
      timer_, [](uv_timer_t* timer) { static_cast<LoopFileLocks*>(timer->data)->look_again(); },
      limits::kLockPollMs, limits::kLockPollMs);
}

void LoopFileLocks::look_again() {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    Result<std::optional<FileLock>> lock = FileLock::try_take(at->path);
    const bool late = uv_now(loop_) >= at->until_ms;
    if (lock && !*lock && !late) {
      ++at;
      continue;
    }
    const Waiting over = std::move(*at);
    at = waiting_.erase(at);  // the callback may add to the list, at its end
    if (!lock) {
      over.done(lock.failure());
    } else if (*lock) {
      over.done(std::move(**lock));
    } else {
      over.done(Error{"locking " + over.path + ".lock: another process has held it for " +
                      std::to_string(over.timeout_ms) + " ms"});
    }
  }
  if (waiting_.empty()) uv_timer_stop(timer_);
}

}  // namespace collet::client::auth
