// Requests of one loop that wait for what a store says. Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "protocol/request.h"

namespace collet::protocol {

class WaitingRequests {
 public:
  using Serial = std::uint64_t;

  // Keeps the request until it is taken. One whose client leaves is dropped.
  Serial add(RequestPtr request);
  // Null: its client has left.
  RequestPtr take(Serial serial);

 private:
  struct Waiting final : transport::HttpReplyObserver {
    Waiting(WaitingRequests& of, Serial number, RequestPtr asked) : owner(of), serial(number), request(std::move(asked)) {}
    void on_gone() override;

    WaitingRequests& owner;
    const Serial serial;
    RequestPtr request;
  };

  Serial last_serial_ = 0;
  std::map<Serial, Waiting> waiting_;
};

}  // namespace collet::protocol
