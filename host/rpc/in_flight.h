// The requests of one peer that are not yet answered, by id: for cancellation, and so that no id is used twice at a
// time.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/limits.h"
#include "rpc/message.h"

namespace collet::rpc {

// Where a request is being worked on.
struct Place {
  unsigned loop = 0;
  std::uint64_t serial = 0;  // the loop's own number for it
};

// Any thread: the requests of a legacy session may run on several loops.
class InFlight {
 public:
  enum class Added { yes, duplicate, too_many };

  Added add(const Id& id, Place place);
  void remove(const Id& id);
  std::optional<Place> find(const Id& id) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Place> places_;
};

// Why a request whose id could not be added is refused; nothing if it was.
std::optional<Error> in_flight_error(InFlight::Added added);

}  // namespace collet::rpc
