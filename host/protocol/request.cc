#include "protocol/request.h"

#include "base/assert.h"

namespace collet::protocol {

void HttpOutlet::open(transport::HttpReply& reply, std::string_view allow_origin) {
  reply_ = &reply;
  era_ = Era::modern;
  streaming_ = false;
  close();
  allow_origin_ = allow_origin;
  session_id_.clear();
}

std::span<const transport::Header> HttpOutlet::headers(bool json) {
  std::size_t count = 0;
  if (json) headers_[count++] = {"Content-Type", "application/json"};
  if (!session_id_.empty()) headers_[count++] = {"Mcp-Session-Id", session_id_};
  if (!allow_origin_.empty()) {
    headers_[count++] = {"Access-Control-Allow-Origin", allow_origin_};
    headers_[count++] = {"Access-Control-Expose-Headers", "Mcp-Session-Id"};
  }
  return {headers_, count};
}

void HttpOutlet::close() {
  session_.reset();
  log_.reset();
}

void HttpOutlet::begin_stream() {
  streaming_ = true;
  reply_->begin_events(headers(false));
  if (session_) log_ = session_->open_log();
}

void HttpOutlet::send_event(std::string_view message, std::optional<unsigned> retry_ms) {
  if (!log_) return reply_->event(message);
  const std::string id = log_->append(message).text();
  if (!reply_) return;
  if (log_->attached()) {  // the client has come back over another connection
    std::exchange(reply_, nullptr)->end();
  } else {
    reply_->event(message, {.id = id, .retry_ms = retry_ms});
  }
}

void HttpOutlet::close_stream(unsigned retry_ms) {
  if (!reply_ || !session_ || !session_->can_poll()) return;
  if (!streaming_) begin_stream();
  send_event({}, retry_ms);
  if (reply_) std::exchange(reply_, nullptr)->end();
}

void HttpOutlet::interim(std::span<const std::string_view> pieces) {
  if (!streaming_) {
    begin_stream();
    if (session_ && session_->can_poll()) send_event({});  // so that the client knows where to begin again
  }
  std::string message;
  for (std::string_view piece : pieces) message += piece;
  send_event(message);
}

void HttpOutlet::answer(int http_status, std::span<const std::string_view> pieces) {
  if (streaming_) {
    interim(pieces);
    if (log_) log_->finish();
    if (reply_) std::exchange(reply_, nullptr)->end();
    return;
  }
  std::exchange(reply_, nullptr)->respond(era_ == Era::legacy ? 200 : http_status, headers(true), pieces);
}

void HttpOutlet::answer_empty(int http_status) {
  std::exchange(reply_, nullptr)->respond(http_status, headers(false), {});
}

void HttpOutlet::abandon() {
  if (log_) log_->finish();
  if (!reply_) return;
  if (streaming_) {
    std::exchange(reply_, nullptr)->end();
  } else {
    answer_empty(202);
  }
}

void Request::reset() {
  COLLET_ASSERT(!exchange.open());
  message = {};
  received = nullptr;
  context = {};
  http.close();
  outlet.reset();
  arena.clear();
}

RequestPtr RequestPool::acquire() {
  if (free_.empty()) return {new Request, ReturnToPool{this}};
  Request* request = free_.back().release();
  free_.pop_back();
  return {request, ReturnToPool{this}};
}

void ReturnToPool::operator()(Request* request) const {
  std::unique_ptr<Request> owned(request);
  { const rpc::Exchange unanswered = std::move(request->exchange); }
  request->reset();
  if (pool->free_.size() < RequestPool::kKeptMax) pool->free_.push_back(std::move(owned));
}

}  // namespace collet::protocol
