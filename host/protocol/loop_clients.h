// How the clients of one loop are reached beside the answers to their requests. Loop thread.
#pragma once

#include <string>

#include "protocol/legacy/session.h"
#include "protocol/request.h"
#include "protocol/stdio_client.h"
#include "rpc/in_flight.h"

namespace collet::protocol {

class LoopClients {
 public:
  // May be null. Outlives its requests.
  void set_stdio(StdioClient* client) { stdio_ = client; }
  // Null: nobody is at the other end of the standard streams, or that is another loop's.
  StdioClient* stdio() const { return stdio_; }

  // The client's requests that it may cancel by a message; null if it has no session to do so in.
  rpc::InFlight* in_flight_of(const Request& request) const;
  // A message to a legacy session that belongs to no request.
  void tell(Session& session, const std::string& message) const;

 private:
  StdioClient* stdio_ = nullptr;
};

}  // namespace collet::protocol
