#include "protocol/request.h"

#include "base/assert.h"

namespace collet::protocol {

void HttpOutlet::open(transport::HttpReply& reply, std::string_view page, Accepted takes) {
  reply_ = &reply;
  era_ = Era::modern;
  streaming_ = false;
  close();
  page_ = page;
  takes_ = takes;
  session_id_.clear();
}

std::span<const transport::Header> HttpOutlet::headers(bool json) {
  std::size_t count = 0;
  if (json) headers_[count++] = {"Content-Type", kJsonType};
  if (!session_id_.empty()) headers_[count++] = {"Mcp-Session-Id", session_id_};
  if (!page_.empty()) {
    for (const transport::Header& header : readable_by(page_)) headers_[count++] = header;
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

void HttpOutlet::send_event(std::string_view message, transport::EventFields fields) {
  if (!log_) return reply_->event(message, fields);
  const std::string id = log_->append(message).text();
  if (!reply_) return;
  if (log_->attached()) {  // the client has come back over another connection
    std::exchange(reply_, nullptr)->end();
  } else {
    fields.id = id;
    reply_->event(message, fields);
  }
}

void HttpOutlet::close_stream(unsigned retry_ms) {
  if (!reply_ || !takes_.events || !session_ || !session_->can_poll()) return;
  if (!streaming_) begin_stream();
  send_event({}, {.retry_ms = retry_ms});
  if (reply_) std::exchange(reply_, nullptr)->end();
}

bool HttpOutlet::client_is_behind() const {
  if (log_ && log_->attached()) return log_->reader_is_behind(limits::kStreamAheadBytes);
  return reply_ && streaming_ && reply_->room() == 0;
}

void HttpOutlet::interim(std::span<const std::string_view> pieces) {
  if (takes_.events) send(pieces, false);
}

void HttpOutlet::send(std::span<const std::string_view> pieces, bool last) {
  std::string message;
  for (std::string_view piece : pieces) message += piece;
  if (!streaming_) {
    begin_stream();
    if (session_ && session_->can_poll()) send_event({});  // so that the client knows where to begin again
  }
  send_event(message, {.last = last});
}

void HttpOutlet::answer(int http_status, std::span<const std::string_view> pieces) {
  const int status = era_ == Era::legacy ? 200 : http_status;
  if (streaming_ || (!takes_.json && status == 200)) {
    send(pieces, true);
    if (log_) log_->finish();
    if (reply_) std::exchange(reply_, nullptr)->end();
    return;
  }
  std::exchange(reply_, nullptr)->respond(status, headers(true), pieces);
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
  hold.reset();
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
