#include "protocol/held_open_table.h"

#include <algorithm>

#include "base/limits.h"
#include "protocol/shares.h"

namespace collet::protocol {

void HeldOpenTable::end_streams() {
  std::erase_if(held_open_, [](const auto& each) { return each.second->is_endless(); });
  ends_streams_ = true;
}

// Who is known has no more than a share.
bool HeldOpenTable::has_room_for_subscription(const std::string& principal) const {
  constexpr std::size_t kShare = share_of(limits::kSubscriptionsMax);
  const auto count_of = [&](std::string_view of) {
    return static_cast<std::size_t>(
        std::ranges::count_if(held_open_, [&](const auto& each) { return each.second->is_subscription_of(of); }));
  };
  if (count_of({}) >= limits::kSubscriptionsMax) return false;
  return principal.empty() || count_of(principal) < kShare;
}

void HeldOpenTable::look(std::uint64_t serial) {
  if (const auto found = held_open_.find(serial); found != held_open_.end()) found->second->look();
}

void HeldOpenTable::cancel(std::uint64_t serial) {
  if (const auto found = held_open_.find(serial); found != held_open_.end()) found->second->cancel();
}

void HeldOpenTable::list_changed(const mcp::ChangingList& list, bool several) {
  for (const auto& [serial, held] : held_open_) held->list_changed(list, several);
}

void HeldOpenTable::resource_updated(std::string_view key) {
  for (const auto& [serial, held] : held_open_) held->resource_updated(key);
}

}  // namespace collet::protocol
