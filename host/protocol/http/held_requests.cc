#include "protocol/http/held_requests.h"

#include <algorithm>
#include <mutex>

#include "base/assert.h"

namespace collet::protocol {

struct HeldRequests::Door {
  std::mutex mutex;  // guards `open`: changed on the loop's thread, or when the loop has ended
  HeldRequests* open;

  // Any thread.
  static void bring(const std::shared_ptr<Door>& door, Serial serial, SharedKnown known) {
    const std::lock_guard lock(door->mutex);
    if (!door->open) return;
    door->open->loop_.post([door, serial, known = std::move(known)]() mutable {
      if (door->open) door->open->release(serial, std::move(known));
    });
  }
};

namespace {

std::shared_ptr<const HeldRequests::Known> refusing(HeldRequests::Refuse refuse, std::string_view why) {
  return std::make_shared<const HeldRequests::Known>(HeldRequests::Known{refuse(why)});
}

}  // namespace

HeldRequests::HeldRequests(loop::Loop& loop, HeldLimits limits, Refuse refuse)
    : loop_(loop),
      limits_(limits),
      door_(std::make_shared<Door>()),
      refuse_(refuse),
      late_(refusing(refuse, "it takes too long")),
      ending_(refusing(refuse, "the server is ending")) {
  door_->open = this;
}

HeldRequests::~HeldRequests() {
  COLLET_ASSERT(held_.empty());
  const std::lock_guard lock(door_->mutex);
  door_->open = nullptr;
}

bool HeldRequests::has_room_for(std::string_view client) const {
  if (held_.size() >= limits_.count_max) return false;
  const auto of_client = std::ranges::count_if(held_, [&](const auto& held) { return held.second.client == client; });
  return static_cast<unsigned>(of_client) < (limits_.count_max + 1) / 2;
}

std::optional<HeldRequests::Serial> HeldRequests::add(transport::HttpReply& reply, std::string_view client) {
  if (!has_room_for(client)) return std::nullopt;
  const Serial serial = ++last_serial_;
  Held& held = held_.try_emplace(serial, *this, serial, reply, client).first->second;
  held.time_limit.start(limits_.timeout_ms, [this, serial] { release(serial, late_); });
  reply.observe(&held);
  reply.hold();
  return serial;
}

std::optional<LateVerdict> HeldRequests::hold(transport::HttpReply& reply, std::string_view client) {
  const auto serial = add(reply, client);
  if (!serial) return std::nullopt;
  return LateVerdict([door = door_, serial = *serial](Verdict said) {
    Door::bring(door, serial, std::make_shared<const Known>(Known{std::move(said)}));
  });
}

std::optional<Callback<void(std::string_view)>> HeldRequests::hold_for(transport::HttpReply& reply, std::string_view client,
                                                                       registry::PrincipalPtr principal) {
  const auto serial = add(reply, client);
  if (!serial) return std::nullopt;
  auto known = std::make_shared<const Known>(Known{std::move(principal), true});
  return Callback<void(std::string_view)>(
      [door = door_, refuse = refuse_, serial = *serial, known = std::move(known)](std::string_view problem) {
        Door::bring(door, serial, problem.empty() ? known : refusing(refuse, problem));
      });
}

// Whoever has left, or had its time, is no longer there.
void HeldRequests::release(Serial serial, SharedKnown known) {
  const auto found = held_.find(serial);
  if (found == held_.end()) return;
  transport::HttpReply& reply = found->second.reply;
  held_.erase(found);
  reply.release(std::move(known));
}

void HeldRequests::give_up() {
  while (!held_.empty()) release(held_.begin()->first, ending_);
}

}  // namespace collet::protocol
