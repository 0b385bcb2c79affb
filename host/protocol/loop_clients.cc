#include "protocol/loop_clients.h"

namespace collet::protocol {

rpc::InFlight* LoopClients::in_flight_of(const Request& request) const {
  if (request.context.transport == Transport::stdio) return stdio_ ? &stdio_->session().in_flight() : nullptr;
  return request.context.session ? &request.context.session->in_flight() : nullptr;
}

void LoopClients::tell(Session& session, const std::string& message) const {
  if (stdio_ && &stdio_->session() == &session) return stdio_->send(message);
  if (const EventLogPtr log = session.side_log()) log->append(message);
}

}  // namespace collet::protocol
