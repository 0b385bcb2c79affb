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

void Calls::add(std::unique_ptr<ItemCall> call) {
  const std::uint64_t serial = call->serial();
  waiting_.emplace(serial, std::move(call));
}

std::unique_ptr<ItemCall> Calls::remove(std::uint64_t serial) {
  const auto found = waiting_.find(serial);
  COLLET_ASSERT(found != waiting_.end());
  std::unique_ptr<ItemCall> call = std::move(found->second);
  waiting_.erase(found);
  return call;
}

ItemCall* Calls::find(std::uint64_t serial) {
  const auto found = waiting_.find(serial);
  return found == waiting_.end() ? nullptr : found->second.get();
}

void Calls::when_idle(Callback<void()> callback) {
  if (waiting_.empty()) return callback();
  when_idle_ = std::move(callback);
}

void Calls::cancel_all(registry::CancelReason reason) {
  std::vector<std::uint64_t> serials;
  for (const auto& [serial, call] : waiting_) serials.push_back(serial);
  for (std::uint64_t serial : serials) {
    if (ItemCall* call = find(serial)) call->cancel(reason);
  }
}

}  // namespace collet::protocol
