// What a call on a loop of the host is for, and by which way it goes past the client's thread.
#pragma once

#include <memory>

#include "client/offer/imported_item.h"

namespace collet::client {

class LaneGate;
using LaneGatePtr = std::shared_ptr<LaneGate>;

struct LaneTarget {
  RemoteItemPtr item;
  LaneGatePtr gate;
};

}  // namespace collet::client
