// Requests of one loop that wait for what a store says: so many and no more, and no longer than a time. Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "loop/loop.h"
#include "protocol/request.h"

namespace collet::protocol {

class WaitingRequests {
 public:
  using Serial = std::uint64_t;

  explicit WaitingRequests(loop::Loop& loop, unsigned count_max = limits::kWaitingRequestsMax,
                           std::uint64_t timeout_ms = limits::kWaitingRequestMs)
      : loop_(loop), count_max_(count_max), timeout_ms_(timeout_ms) {}

  // Keeps the request until it is taken. Nothing: too many wait, and this one has been answered so. One whose client leaves is dropped.
  std::optional<Serial> add(RequestPtr request);
  // Null: its client has left, or it was answered that it takes too long.
  RequestPtr take(Serial serial);
  // Answers all.
  void give_up();

 private:
  struct Waiting final : transport::HttpReplyObserver {
    Waiting(WaitingRequests& of, Serial number, RequestPtr asked)
        : owner(of), serial(number), request(std::move(asked)), time_limit(of.loop_) {}
    void on_gone() override;

    WaitingRequests& owner;
    const Serial serial;
    RequestPtr request;
    loop::Timer time_limit;
  };

  void refuse(Serial serial);

  loop::Loop& loop_;
  const unsigned count_max_;
  const std::uint64_t timeout_ms_;
  Serial last_serial_ = 0;
  std::map<Serial, Waiting> waiting_;
};

}  // namespace collet::protocol
