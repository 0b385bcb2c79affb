// What records and streams have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace collet::store {

// Shared by the store and whoever has read them. Never null, and never changed.
using Bytes = std::shared_ptr<const std::string>;

// Milliseconds since 1970, as all machines have them.
using WallClock = std::function<std::uint64_t()>;

}  // namespace collet::store
