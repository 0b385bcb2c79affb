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

std::optional<Error> in_flight_error(InFlight::Added added) {
  switch (added) {
    case InFlight::Added::yes:
      return std::nullopt;
    case InFlight::Added::duplicate:
      return invalid_request("this id is in use by a request that is not yet answered");
    case InFlight::Added::too_many:
      return internal_error("Too many requests in flight, wait for some to be answered");
  }
  return std::nullopt;
}

}  // namespace collet::rpc
