#include "protocol/waiting_requests.h"

namespace collet::protocol {

WaitingRequests::Serial WaitingRequests::add(RequestPtr request) {
  const Serial serial = ++last_serial_;
  Waiting& waiting = waiting_.try_emplace(serial, *this, serial, std::move(request)).first->second;
  waiting.request->received = nullptr;
  if (transport::HttpReply* reply = waiting.request->http.reply()) reply->observe(&waiting);
  return serial;
}

RequestPtr WaitingRequests::take(Serial serial) {
  const auto found = waiting_.find(serial);
  if (found == waiting_.end()) return nullptr;
  RequestPtr request = std::move(found->second.request);
  waiting_.erase(found);
  if (transport::HttpReply* reply = request->http.reply()) reply->observe(nullptr);
  return request;
}

void WaitingRequests::Waiting::on_gone() {
  request->http.forget();
  request->exchange.disown();
  owner.waiting_.erase(serial);
}

}  // namespace collet::protocol
