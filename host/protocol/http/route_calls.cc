#include "protocol/http/route_calls.h"

#include <new>

namespace collet::protocol {

void RouteCalls::begin(const registry::Item& route, std::string_view path, registry::WebRequestPtr request,
                       transport::HttpReply& reply, RouteVisit visit) {
  const std::uint64_t serial = ++last_serial_;
  const std::uint32_t own_ms = route.def->timeout_ms;
  const auto [at, is_new] = running_.emplace(serial, std::make_unique<RouteCall>(*this, serial, reply, std::move(visit)));
  try {
    const std::uint64_t timeout_ms = own_ms ? own_ms : timeout_ms_;
    if (at->second->begin(route, path, std::move(request), timeout_ms)) end(serial);
  } catch (const std::bad_alloc&) {  // it has not begun
    end(serial);
    throw;
  }
}

void RouteCalls::cancel_all(registry::CancelReason reason) {
  for (const auto& [serial, call] : running_) call->cancel(reason);
}

void RouteCalls::end_streams() {
  ends_streams_ = true;
  for (const auto& [serial, call] : running_) {
    if (call->is_stream()) call->cancel(registry::CancelReason::shutdown);
  }
}

void RouteCalls::flush(std::uint64_t serial) {
  if (const auto found = running_.find(serial); found != running_.end()) found->second->flush();
}

}  // namespace collet::protocol
