// Says in the log, once in a while, that a store does not take what is to be kept. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/records.h"

namespace collet::protocol {

class StoreTrouble {
 public:
  // Whether it has been kept.
  bool note(store::Records::Status status, std::string_view what) {
    if (status == store::Records::Status::done) return true;
    const std::uint64_t now_ms = monotonic_ms();
    std::uint64_t until_ms = quiet_until_ms_;
    if (now_ms >= until_ms && quiet_until_ms_.compare_exchange_strong(until_ms, now_ms + limits::kStoreFailureMs)) {
      log::warning("the store cannot keep {}: {}", what,
                   status == store::Records::Status::full ? "there is no room for it" : "it has failed");
    }
    return false;
  }

 private:
  std::atomic<std::uint64_t> quiet_until_ms_ = 0;
};

}  // namespace collet::protocol
