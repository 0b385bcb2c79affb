#include "protocol/waiting_requests.h"

#include "rpc/error.h"

namespace collet::protocol {
namespace {

void answer_that_it_cannot_wait(Request& request) {
  rpc::Error busy = rpc::internal_error("The server's store does not answer now: try again later");
  busy.http_status = 503;
  request.exchange.error(busy);
}

}  // namespace

std::optional<WaitingRequests::Serial> WaitingRequests::add(RequestPtr request) {
  if (waiting_.size() >= count_max_) {
    answer_that_it_cannot_wait(*request);
    return std::nullopt;
  }
  const Serial serial = ++last_serial_;
  Waiting& waiting = waiting_.try_emplace(serial, *this, serial, std::move(request)).first->second;
  waiting.request->received = nullptr;
  if (transport::HttpReply* reply = waiting.request->http.reply()) reply->observe(&waiting);
  waiting.time_limit.start(timeout_ms_, [this, serial] { refuse(serial); });
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

void WaitingRequests::refuse(Serial serial) {
  if (const RequestPtr request = take(serial)) answer_that_it_cannot_wait(*request);
}

void WaitingRequests::give_up() {
  while (!waiting_.empty()) refuse(waiting_.begin()->first);
}

void WaitingRequests::Waiting::on_gone() {
  request->http.forget();
  request->exchange.disown();
  owner.waiting_.erase(serial);
}

}  // namespace collet::protocol
