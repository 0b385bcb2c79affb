#include "protocol/http/pending_authentications.h"

#include <algorithm>
#include <mutex>

#include "base/assert.h"

namespace collet::protocol {

struct PendingAuthentications::Door {
  std::mutex mutex;  // guards `open`: changed on the loop's thread, or when the loop has ended
  PendingAuthentications* open;

  // Any thread.
  static void bring(const std::shared_ptr<Door>& door, std::uint64_t serial, SharedVerdict verdict) {
    const std::lock_guard lock(door->mutex);
    if (!door->open) return;
    door->open->loop_.post([door, serial, verdict = std::move(verdict)]() mutable {
      if (door->open) door->open->release(serial, std::move(verdict));
    });
  }
};

PendingAuthentications::PendingAuthentications(loop::Loop& loop, PendingLimits limits)
    : loop_(loop),
      limits_(limits),
      door_(std::make_shared<Door>()),
      late_(std::make_shared<const Verdict>(cannot_authenticate("it takes too long"))),
      ending_(std::make_shared<const Verdict>(cannot_authenticate("the server is ending"))) {
  door_->open = this;
}

PendingAuthentications::~PendingAuthentications() {
  COLLET_ASSERT(held_.empty());
  const std::lock_guard lock(door_->mutex);
  door_->open = nullptr;
}

bool PendingAuthentications::has_room_for(std::string_view client) const {
  if (held_.size() >= limits_.count_max) return false;
  const auto of_client = std::ranges::count_if(held_, [&](const auto& held) { return held.second.client == client; });
  return static_cast<unsigned>(of_client) < (limits_.count_max + 1) / 2;
}

std::optional<LateVerdict> PendingAuthentications::hold(transport::HttpReply& reply, std::string_view client) {
  if (!has_room_for(client)) return std::nullopt;
  const std::uint64_t serial = ++last_serial_;
  LateVerdict verdict([door = door_, serial](Verdict said) {
    Door::bring(door, serial, std::make_shared<const Verdict>(std::move(said)));
  });
  Held& held = held_.try_emplace(serial, *this, serial, reply, client).first->second;
  held.time_limit.start(limits_.timeout_ms, [this, serial] { release(serial, late_); });
  reply.observe(&held);
  reply.hold();
  return verdict;
}

// Whoever has left, or had its time, is no longer there.
void PendingAuthentications::release(std::uint64_t serial, SharedVerdict verdict) {
  const auto found = held_.find(serial);
  if (found == held_.end()) return;
  transport::HttpReply& reply = found->second.reply;
  held_.erase(found);
  reply.release(std::move(verdict));
}

void PendingAuthentications::give_up() {
  while (!held_.empty()) release(held_.begin()->first, ending_);
}

}  // namespace collet::protocol
