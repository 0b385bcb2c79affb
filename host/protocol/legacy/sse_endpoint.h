// HTTP with SSE, the transport of 2024-11-05: a GET opens the stream that carries everything to the client, who
// posts its messages to the address that the stream begins with.
#pragma once

#include <string>

#include "protocol/server_loop.h"

namespace collet::protocol {

// One for each loop.
class SseEndpoint {
 public:
  explicit SseEndpoint(ServerLoop& loop) : loop_(loop) {}

  // A request of somebody who may talk to us.
  void serve(const transport::HttpRequest& http, transport::HttpReply& reply, registry::PrincipalPtr principal);

 private:
  void open(const transport::HttpRequest& http, transport::HttpReply& reply, registry::PrincipalPtr principal);
  void post(const transport::HttpRequest& http, transport::HttpReply& reply, registry::PrincipalPtr principal);

  ServerLoop& loop_;
};

}  // namespace collet::protocol
