#include "rpc/in_flight.h"

namespace collet::rpc {

InFlight::Added InFlight::add(const Id& id, Place place) {
  const std::lock_guard lock(mutex_);
  if (places_.contains(id.text())) return Added::duplicate;
  if (places_.size() >= limits::kSessionCallsMax) return Added::too_many;
  places_.emplace(id.text(), place);
  return Added::yes;
}

void InFlight::remove(const Id& id) {
  const std::lock_guard lock(mutex_);
  places_.erase(id.text());
}

std::optional<Place> InFlight::find(const Id& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(id.text());
  if (found == places_.end()) return std::nullopt;
  return found->second;
}

}  // namespace collet::rpc
