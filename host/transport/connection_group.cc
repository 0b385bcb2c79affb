#include "transport/connection_group.h"

#include <uv.h>

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "base/log.h"
#include "collet/kit/loop.hpp"
#include "transport/http_connection.h"

namespace collet::transport {
namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kSweepMsMin = 5;
constexpr std::uint64_t kSweepMsMax = 500;
constexpr std::uint64_t kTellMs = 10'000;

}  // namespace

ConnectionGroup::ConnectionGroup(loop::Loop& on, HttpLimits bounds, HttpHandler& serves,
                                 std::shared_ptr<RequestMemory> of_all)
    : loop(on),
      limits(bounds),
      handler(serves),
      memory(std::move(of_all)),
      parser(limits),
      read_buffer(std::make_unique_for_overwrite<char[]>(kReadBytes)),
      sweeper_(on),
      idle_(new uv_idle_t) {
  for (std::size_t i = 0; i < kWaits; ++i) {
    const std::uint64_t limit_ms = time_limit_ms(static_cast<Wait>(i));
    time_limits_ms_[i] = limit_ms == 0 ? kNever : limit_ms;
  }
  uv_idle_init(loop.uv(), idle_);
  idle_->data = this;
}

ConnectionGroup::~ConnectionGroup() {
  for (Queue& queue : queues_) {
    while (queue.first) {
      HttpConnection& connection = *queue.first;
      unlink(connection);
      connection.abandon();
    }
  }
  kit::close_and_delete(idle_, *idle_);
}

std::uint64_t ConnectionGroup::time_limit_ms(Wait what) const {
  switch (what) {
    case Wait::first:
    case Wait::header:
      return limits.header_timeout_ms;
    case Wait::body:
      return limits.body_timeout_ms;
    case Wait::idle:
      return limits.idle_timeout_ms;
    case Wait::comment:
      return limits.keep_alive_comment_ms;
    case Wait::write:
      return limits.body_timeout_ms;
    case Wait::linger:
      return limits::kHttpLingerMs;
    case Wait::reply:
    case Wait::close:
      break;
  }
  return 0;
}

void ConnectionGroup::add(HttpConnection& connection) {
  if (size_++ == 0) {
    const std::uint64_t shortest = *std::min_element(time_limits_ms_.begin(), time_limits_ms_.end());
    sweeper_.repeat(std::clamp(shortest / 8, kSweepMsMin, kSweepMsMax), [this] { sweep(); });
  }
  connection.place().wait = Wait::close;  // any but the one that follows
  wait(connection, Wait::first);
}

void ConnectionGroup::remove(HttpConnection& connection) {
  unlink(connection);
  if (--size_ == 0) sweeper_.stop();
  finish_drain_if_empty();
}

void ConnectionGroup::wait(HttpConnection& connection, Wait what) {
  unlink(connection);
  const auto index = static_cast<std::size_t>(what);
  QueuePlace& place = connection.place();
  place.wait = what;
  place.deadline_ms = time_limits_ms_[index] == kNever ? kNever : loop.now_ms() + time_limits_ms_[index];
  Queue& queue = queues_[index];
  place.previous = queue.last;
  place.next = nullptr;
  (queue.last ? queue.last->place().next : queue.first) = &connection;
  queue.last = &connection;
}

void ConnectionGroup::unlink(HttpConnection& connection) {
  QueuePlace& place = connection.place();
  Queue& queue = queues_[static_cast<std::size_t>(place.wait)];
  if (!place.previous && queue.first != &connection) return;  // in no queue yet
  (place.previous ? place.previous->place().next : queue.first) = place.next;
  (place.next ? place.next->place().previous : queue.last) = place.previous;
  place.previous = place.next = nullptr;
}

void ConnectionGroup::sweep() {
  const std::uint64_t now = loop.now_ms();
  for (Queue& queue : queues_) {
    // A connection whose time is up leaves the front of its queue.
    while (queue.first && queue.first->place().deadline_ms <= now) queue.first->time_is_up();
  }
}

void ConnectionGroup::defer(HttpConnection& connection) {
  COLLET_ASSERT(!connection.is_closing());  // it will be gone by then
  if (std::exchange(connection.place().deferred, true)) return;
  if (deferred_.empty()) {
    uv_idle_start(idle_, [](uv_idle_t* idle) { static_cast<ConnectionGroup*>(idle->data)->run_deferred(); });
  }
  deferred_.push_back(&connection);
}

void ConnectionGroup::forget_deferred(HttpConnection& connection) {
  if (std::exchange(connection.place().deferred, false)) std::erase(deferred_, &connection);
}

void ConnectionGroup::run_deferred() {
  // One at a time: resuming one may close or defer others.
  for (std::size_t left = deferred_.size(); left > 0 && !deferred_.empty(); --left) {
    HttpConnection& connection = *deferred_.front();
    deferred_.erase(deferred_.begin());
    connection.place().deferred = false;
    connection.resume();
  }
  if (deferred_.empty()) uv_idle_stop(idle_);
  finish_drain_if_empty();
}

void ConnectionGroup::tell_memory_is_full() {
  if (loop.now_ms() < tell_again_ms_) return;
  tell_again_ms_ = loop.now_ms() + kTellMs;
  log::warning("requests are refused: {} bytes of others are in memory (server.limits.memory_bytes_max, {})",
               memory->held(), limits.memory_bytes_max);
}

void ConnectionGroup::drain(Callback<void()> done) {
  draining_ = true;
  drained_ = std::move(done);
  for (const Wait nothing_owed : {Wait::first, Wait::idle}) {
    Queue& queue = queues_[static_cast<std::size_t>(nothing_owed)];
    while (queue.first) queue.first->close();
  }
  uv_idle_start(idle_, [](uv_idle_t* handle) { static_cast<ConnectionGroup*>(handle->data)->run_deferred(); });
}

// Last in its callers: `done` may destroy the group.
void ConnectionGroup::finish_drain_if_empty() {
  if (draining_ && size_ == 0 && drained_) std::exchange(drained_, nullptr)();
}

}  // namespace collet::transport
