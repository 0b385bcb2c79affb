#include "protocol/calls/calls.h"

#include "base/assert.h"

namespace collet::protocol {

std::unique_ptr<ItemCall> Calls::acquire(ServerLoop& owner) {
  if (idle_.empty()) return std::make_unique<ItemCall>(owner);
  std::unique_ptr<ItemCall> call = std::move(idle_.back());
  idle_.pop_back();
  return call;
}

void Calls::keep(std::unique_ptr<ItemCall> call) {
  constexpr std::size_t kKeptMax = 256;
  if (idle_.size() < kKeptMax) idle_.push_back(std::move(call));
  if (when_idle_ && waiting_.empty()) std::exchange(when_idle_, nullptr)();
}

void Calls::add(std::unique_ptr<ItemCall> call, std::uint64_t timeout_ms) {
  const std::uint64_t serial = call->serial();
  const auto deadline = deadlines_.emplace(loop_.now_ms() + timeout_ms, serial);
  waiting_.emplace(serial, Waiting{std::move(call), deadline});
  if (deadline == deadlines_.begin()) arm();
}

void Calls::set_timeout(std::uint64_t serial, std::uint64_t timeout_ms) {
  Waiting& waiting = waiting_.at(serial);
  if (waiting.deadline != deadlines_.end()) deadlines_.erase(waiting.deadline);
  waiting.deadline = deadlines_.emplace(loop_.now_ms() + timeout_ms, serial);
  arm();
}

std::unique_ptr<ItemCall> Calls::remove(std::uint64_t serial) {
  const auto found = waiting_.find(serial);
  COLLET_ASSERT(found != waiting_.end());
  if (found->second.deadline != deadlines_.end()) deadlines_.erase(found->second.deadline);
  std::unique_ptr<ItemCall> call = std::move(found->second.call);
  waiting_.erase(found);
  return call;
}

ItemCall* Calls::find(std::uint64_t serial) {
  const auto found = waiting_.find(serial);
  return found == waiting_.end() ? nullptr : found->second.call.get();
}

void Calls::when_idle(Callback<void()> callback) {
  if (waiting_.empty()) return callback();
  when_idle_ = std::move(callback);
}

void Calls::cancel_all(registry::CancelReason reason) {
  std::vector<std::uint64_t> serials;
  for (const auto& [serial, waiting] : waiting_) serials.push_back(serial);
  for (std::uint64_t serial : serials) {
    if (ItemCall* call = find(serial)) call->cancel(reason);
  }
}

void Calls::arm() {
  if (deadlines_.empty()) return;
  const std::uint64_t now = loop_.now_ms();
  const std::uint64_t when = deadlines_.begin()->first;
  timer_.start(when > now ? when - now : 0, [this] { expire(); });
}

void Calls::expire() {
  while (!deadlines_.empty() && deadlines_.begin()->first <= loop_.now_ms()) {
    const std::uint64_t serial = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    Waiting& waiting = waiting_.at(serial);
    waiting.deadline = deadlines_.end();
    waiting.call->expire();
  }
  arm();
}

}  // namespace collet::protocol
