#include "loop/path_poll.h"

#include <uv.h>

#include <optional>
#include <utility>

namespace collet::loop {
namespace {

struct Seen {
  int status;
  uv_stat_t stat;
};

bool is_same(const uv_timespec_t& one, const uv_timespec_t& other) {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

bool is_same(const Seen& one, const Seen& other) {
  if (one.status != 0 || other.status != 0) return one.status == other.status;
  return one.stat.st_dev == other.stat.st_dev && one.stat.st_ino == other.stat.st_ino &&
         one.stat.st_size == other.stat.st_size && is_same(one.stat.st_mtim, other.stat.st_mtim) &&
         is_same(one.stat.st_ctim, other.stat.st_ctim);
}

}  // namespace

struct PathPoll::State {
  State(Loop& on, std::string its_path, std::uint64_t its_interval_ms, Callback<void(bool exists)> tells)
      : loop(on.uv()), path(std::move(its_path)), interval_ms(its_interval_ms), changed(std::move(tells)) {
    uv_timer_init(loop, &timer);
    timer.data = request.data = this;
    look();
  }

  void look() {
    const auto done = [](uv_fs_t* stat) { static_cast<State*>(stat->data)->looked(); };
    is_looking = uv_fs_stat(loop, &request, path.c_str(), done) == 0;
    if (!is_looking) look_later();
  }

  void look_later() {
    uv_timer_start(&timer, [](uv_timer_t* handle) { static_cast<State*>(handle->data)->look(); }, interval_ms, 0);
  }

  void looked() {
    is_looking = false;
    const Seen now{static_cast<int>(request.result), request.statbuf};
    uv_fs_req_cleanup(&request);
    if (is_closed) return let_go();
    look_later();
    const bool is_news = !seen || !is_same(*seen, now);
    seen = now;
    if (is_news) changed(now.status == 0);  // which may close this
  }

  void close() {
    is_closed = true;
    if (is_looking) uv_cancel(reinterpret_cast<uv_req_t*>(&request));
    uv_close(reinterpret_cast<uv_handle_t*>(&timer), [](uv_handle_t* handle) {
      auto* state = static_cast<State*>(handle->data);
      state->is_timer_closed = true;
      state->let_go();
    });
  }

  void let_go() {
    if (is_timer_closed && !is_looking) delete this;
  }

  uv_loop_t* loop;
  const std::string path;
  const std::uint64_t interval_ms;
  Callback<void(bool exists)> changed;
  uv_timer_t timer;
  uv_fs_t request;
  std::optional<Seen> seen;
  bool is_looking = false;
  bool is_closed = false;
  bool is_timer_closed = false;
};

PathPoll::PathPoll(Loop& loop, std::string path, std::uint64_t interval_ms, Callback<void(bool exists)> changed)
    : state_(new State(loop, std::move(path), interval_ms, std::move(changed))) {}

PathPoll::~PathPoll() { state_->close(); }

}  // namespace collet::loop
