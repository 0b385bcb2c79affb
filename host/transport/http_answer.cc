// The half of HttpConnection that answers; reading is in http_connection.cc.
#include <sys/socket.h>

#include <algorithm>

#include "base/assert.h"
#include "base/limits.h"
#include "base/log.h"
#include "transport/event_stream.h"
#include "transport/http_connection.h"
#include "transport/http_response.h"

namespace collet::transport {
namespace {

constexpr std::size_t kGatheredBytesMax = 64u << 10;  // of answers to pipelined requests, before they are sent

uv_buf_t buffer(std::string_view bytes) {
  return uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
}

std::string field_lines(const EventFields& fields) {
  std::string lines;
  if (!fields.type.empty()) lines.append("event: ").append(fields.type).append("\n");
  if (!fields.id.empty()) lines.append("id: ").append(fields.id).append("\n");
  if (fields.retry_ms) lines.append("retry: ").append(std::to_string(*fields.retry_ms)).append("\n");
  return lines;
}

}  // namespace

void HttpConnection::append_head(int status, std::span<const Header> headers) {
  if (group_->draining()) keep_alive_ = false;
  std::string& out = output();
  append_status_line(out, status);
  out.append(group_->date.line());
  if (!keep_alive_) {
    out.append("Connection: close\r\n");
  } else if (http_1_0_) {
    out.append("Connection: keep-alive\r\n");
  }
  for (const Header& header : headers) append_field(out, header.name, header.value);
}

void HttpConnection::respond(int status, std::span<const Header> headers, std::span<const std::string_view> body) {
  COLLET_ASSERT(phase_ == Phase::answering);
  observer_ = nullptr;
  if (closing_) return;
  append_head(status, headers);
  std::size_t bytes = 0;
  for (const std::string_view piece : body) bytes += piece.size();
  std::string& out = output();
  if (status_has_body(status)) append_content_length(out, bytes);
  out.append("\r\n");
  if (status_has_body(status) && !head_) {
    if (bytes <= limits::kHttpCopyBytesMax) {
      for (const std::string_view piece : body) out.append(piece);
    } else {
      send(body);
    }
  }
  answered();
}

void HttpConnection::begin_events(std::span<const Header> headers) {
  COLLET_ASSERT(phase_ == Phase::answering);
  phase_ = Phase::streaming;
  if (closing_) return;
  if (http_1_0_) keep_alive_ = false;
  append_head(200, headers);
  std::string& out = output();
  out.append(
      "Content-Type: text/event-stream\r\n"
      "Cache-Control: no-cache\r\n"
      "X-Accel-Buffering: no\r\n");
  out.append(http_1_0_ ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
  group_->wait(*this, Wait::comment);
  if (!corked_) group_->defer(*this);  // the head leaves with the first event, or in the next turn
}

void HttpConnection::event(std::string_view data, const EventFields& fields) {
  COLLET_ASSERT(phase_ == Phase::streaming);
  if (closing_ || head_) return;
  std::string folded;
  if (events::has_line_breaks(data)) data = folded = events::fold_lines(data);
  std::string& out = output();
  events::append_prefix(out, field_lines(fields), data.size(), !http_1_0_);
  const std::string_view rest[] = {data, events::suffix(!http_1_0_)};
  if (data.size() <= limits::kHttpCopyBytesMax) {
    out.append(rest[0]).append(rest[1]);
  } else {
    send(rest);
  }
  event_written();
}

void HttpConnection::event_written() {
  flush();
  if (closing_) return;
  if (backlog_bytes() > group_->limits.write_buffer_bytes_max) {
    log::info("closing an event stream whose client does not read: {} bytes wait", backlog_bytes());
    return close();
  }
  group_->wait(*this, Wait::comment);
}

void HttpConnection::end() {
  COLLET_ASSERT(phase_ == Phase::streaming);
  observer_ = nullptr;
  if (closing_) return;
  if (!http_1_0_ && !head_) output().append(events::last_chunk());
  answered();
}

// The answer is complete, though perhaps not yet sent.
void HttpConnection::answered() {
  observer_ = nullptr;
  if (closing_) return;
  phase_ = Phase::reading;
  if (!keep_alive_ || group_->draining()) return linger();
  if (corked_) {
    if (output().size() > kGatheredBytesMax) flush();
    return;
  }
  flush();
  if (kept_ || tls_ || paused_) {
    group_->defer(*this);
  } else {
    settle();
  }
}

// After the last answer. Closing at once would reset the connection if the client has sent more than was read, and
// the answer with it: so only our direction is closed, and the rest is dropped for a while.
void HttpConnection::linger() {
  phase_ = Phase::lingering;
  flush();
  if (closing_) return;
  if (std::exchange(paused_, false)) start_reading();
  if (backlog_) {
    backlog_at_deadline_ = backlog_bytes();
    group_->wait(*this, Wait::write);
  } else {
    shut_down();
  }
}

void HttpConnection::shut_down() {
  if (tls_) {
    tls_->close();
    send_encrypted();
    if (closing_) return;
  }
  uv_os_fd_t descriptor;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(&handle_), &descriptor) == 0) ::shutdown(descriptor, SHUT_WR);
  group_->wait(*this, Wait::linger);
}

void HttpConnection::flush() {
  if (closing_) return;
  const std::string* out = group_->release_output_of(*this);
  if (!out || out->empty()) return;
  if (tls_) {
    tls_->encrypt(*out);
    return send_encrypted();
  }
  const uv_buf_t only = buffer(*out);
  transmit({&only, 1});
}

// Sends what has been gathered and then the pieces, without copying them first.
void HttpConnection::send(std::span<const std::string_view> pieces) {
  if (tls_) {
    flush();
    for (const std::string_view piece : pieces) tls_->encrypt(piece);
    return send_encrypted();
  }
  std::vector<uv_buf_t> buffers;
  buffers.reserve(pieces.size() + 1);
  buffers.push_back(buffer(output()));
  for (const std::string_view piece : pieces) buffers.push_back(buffer(piece));
  group_->release_output_of(*this);
  transmit(buffers);
}

void HttpConnection::send_encrypted() {
  if (closing_) return;
  std::string& encrypted = group_->encrypted;
  encrypted.clear();
  tls_->take_output(encrypted);
  if (encrypted.empty()) return;
  const uv_buf_t only = buffer(encrypted);
  transmit({&only, 1});
}

void HttpConnection::transmit(std::span<const uv_buf_t> buffers) {
  std::size_t sent = 0;
  if (!backlog_) {
    const int written = uv_try_write(stream(), buffers.data(), static_cast<unsigned>(buffers.size()));
    if (written < 0 && written != UV_EAGAIN) return close();
    sent = static_cast<std::size_t>(std::max(written, 0));
  }
  for (const uv_buf_t& piece : buffers) {
    const std::size_t skipped = std::min<std::size_t>(sent, piece.len);
    sent -= skipped;
    if (skipped == piece.len) continue;
    if (!backlog_) backlog_ = std::make_unique<Backlog>();
    backlog_->waiting.append(piece.base + skipped, piece.len - skipped);
  }
  if (backlog_ && backlog_->writing.empty()) write_backlog();
}

void HttpConnection::write_backlog() {
  backlog_->writing.swap(backlog_->waiting);
  backlog_->waiting.clear();
  backlog_->request.data = this;
  const uv_buf_t only = buffer(backlog_->writing);
  const int error = uv_write(&backlog_->request, stream(), &only, 1, [](uv_write_t* request, int status) {
    static_cast<HttpConnection*>(request->data)->backlog_written(status);
  });
  if (error != 0) close();
}

void HttpConnection::backlog_written(int status) {
  if (closing_) return;
  if (status < 0) return close();
  if (!backlog_->waiting.empty()) return write_backlog();
  backlog_.reset();
  if (read_ended_) return close();
  if (phase_ == Phase::lingering) return shut_down();
  if (phase_ == Phase::reading) group_->defer(*this);
}

std::size_t HttpConnection::backlog_bytes() const {
  if (!backlog_) return 0;
  return backlog_->waiting.size() + uv_stream_get_write_queue_size(reinterpret_cast<const uv_stream_t*>(&handle_));
}

}  // namespace collet::transport
