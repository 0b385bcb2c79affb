// The half of HttpConnection that answers; reading is in http_connection.cc.
#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <new>

#include "base/assert.h"
#include "base/limits.h"
#include "base/log.h"
#include "transport/event_stream.h"
#include "transport/http_connection.h"
#include "transport/http_response.h"

namespace collet::transport {
namespace {

constexpr std::size_t kGatheredBytesMax = 64u << 10;  // of answers to pipelined requests, before they are sent
constexpr std::size_t kEncryptedBytes = 256u << 10;   // at a time
constexpr std::size_t kBacklogPieces = 4;             // written at a time; libuv copies more to the heap

uv_buf_t buffer(std::string_view bytes) {
  return uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
}

// Said although it is the default: there are clients that take an event without a type for one of the type of the
// event before it, or for none of theirs.
constexpr std::string_view kDefaultType = "message";

// An event without data is no message, and clients that have not been told of such events would fail to parse it.
std::string field_lines(const EventFields& fields, bool has_data) {
  std::string lines;
  const std::string_view type = fields.type.empty() && has_data ? kDefaultType : fields.type;
  if (!type.empty()) lines.append("event: ").append(type).append("\n");
  if (!fields.id.empty()) lines.append("id: ").append(fields.id).append("\n");
  if (fields.retry_ms) lines.append("retry: ").append(std::to_string(*fields.retry_ms)).append("\n");
  return lines;
}

}  // namespace

void HttpConnection::append_head(int status, std::span<const Header> headers) {
  if (group_->draining() || (read_ended_ && !kept_)) keep_alive_ = false;
  std::string& out = output();
  const std::size_t start = out.size();
  append_status_line(out, status);
  if (std::exchange(begun_, false)) out.erase(start, kAnswerBegin.size());
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
  events_ = true;
  begin_stream(200, headers,
               "Content-Type: text/event-stream\r\n"
               "Cache-Control: no-cache\r\n"
               "X-Accel-Buffering: no\r\n");
}

void HttpConnection::begin(int status, std::span<const Header> headers) {
  COLLET_ASSERT(status_has_body(status));
  events_ = false;
  begin_stream(status, headers, {});
}

void HttpConnection::begin_stream(int status, std::span<const Header> headers, std::string_view more_fields) {
  COLLET_ASSERT(phase_ == Phase::answering);
  phase_ = Phase::streaming;
  if (closing_) return;
  if (http_1_0_) keep_alive_ = false;
  append_head(status, headers);
  std::string& out = output();
  out.append(more_fields);
  out.append(http_1_0_ ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
  await_piece();
  if (!corked_) group_->defer(*this);  // the head leaves with the first piece, or in the next turn
}

void HttpConnection::await_piece() { group_->wait(*this, events_ ? Wait::comment : Wait::reply); }

void HttpConnection::event(std::string_view data, const EventFields& fields) {
  COLLET_ASSERT(phase_ == Phase::streaming);
  if (closing_ || head_ || (!fields.last && !reads_enough())) return;
  std::string folded;
  if (events::has_line_breaks(data)) data = folded = events::fold_lines(data);
  std::string& out = output();
  events::append_prefix(out, field_lines(fields, !data.empty()), data.size(), !http_1_0_);
  const std::string_view rest[] = {data, events::suffix(!http_1_0_)};
  if (data.size() <= limits::kHttpCopyBytesMax) {
    out.append(rest[0]).append(rest[1]);
  } else {
    send(rest);
  }
  piece_written();
}

// Of a stream: what waits already, not what is about to be written, tells whether its client reads.
bool HttpConnection::reads_enough() {
  if (backlog_bytes() <= group_->limits.write_buffer_bytes_max) return true;
  log::info("closing a stream whose client does not read: {} bytes wait", backlog_bytes());
  close();
  return false;
}

void HttpConnection::piece_written() {
  flush();
  if (closing_) return;
  if (backlog_) return wait_for_write();
  await_piece();
}

void HttpConnection::write(std::string_view bytes, bool last) {
  COLLET_ASSERT(phase_ == Phase::streaming);
  if (closing_ || head_ || bytes.empty() || (!last && !reads_enough())) return;
  const std::string before = http_1_0_ ? std::string() : fmt::format("{:x}\r\n", bytes.size());
  const std::string_view pieces[] = {before, bytes, http_1_0_ ? "" : "\r\n"};
  if (bytes.size() <= limits::kHttpCopyBytesMax) {
    for (const std::string_view piece : pieces) output().append(piece);
  } else {
    send(pieces);
  }
  piece_written();
}

void HttpConnection::abort() {
  COLLET_ASSERT(phase_ == Phase::streaming || phase_ == Phase::answering);
  observer_ = nullptr;
  resets_ = http_1_0_;  // to HTTP/1.0 an ordinary end is the answer's
  close();
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
  let_go();
  if (!keep_alive_ || group_->draining()) return linger();
  if (corked_) {
    if (output().size() > kGatheredBytesMax) flush();
    return;
  }
  flush();
  if (closing_) return;  // the client has broken the connection
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
  if (std::exchange(paused_, false) && !read_ended_) start_reading();
  if (backlog_) {
    wait_for_write();
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
  if (read_ended_) return close();
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
    for (std::string_view piece : pieces) {
      for (; !piece.empty(); piece.remove_prefix(std::min(piece.size(), kEncryptedBytes))) {
        if (closing_) return;
        tls_->encrypt(piece.substr(0, kEncryptedBytes));
        send_encrypted();
      }
    }
    return;
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
  try {
    keep_unsent(buffers, sent);
  } catch (const std::bad_alloc&) {
    log::error("out of memory: a connection is closed, whose client does not read as fast as it is answered");
    return close();
  }
  if (backlog_ && backlog_->writing == 0) write_backlog();
}

void HttpConnection::keep_unsent(std::span<const uv_buf_t> buffers, std::size_t sent) {
  for (const uv_buf_t& piece : buffers) {
    written_bytes_ += piece.len;
    const std::size_t skipped = std::min<std::size_t>(sent, piece.len);
    sent -= skipped;
    if (skipped == piece.len) continue;
    if (!backlog_) backlog_ = std::make_unique<Backlog>();
    backlog_->bytes.append({piece.base + skipped, piece.len - skipped});
  }
}

void HttpConnection::write_backlog() {
  std::array<std::string_view, kBacklogPieces> pieces;
  std::array<uv_buf_t, kBacklogPieces> buffers;
  const std::size_t count = backlog_->bytes.front(pieces);
  for (std::size_t i = 0; i < count; ++i) {
    buffers[i] = buffer(pieces[i]);
    backlog_->writing += pieces[i].size();
  }
  backlog_->request.data = this;
  const int error = uv_write(&backlog_->request, stream(), buffers.data(), static_cast<unsigned>(count),
                             [](uv_write_t* request, int status) {
                               static_cast<HttpConnection*>(request->data)->backlog_written(status);
                             });
  if (error != 0) close();
}

void HttpConnection::backlog_written(int status) {
  if (closing_) return;
  if (status < 0) return close();
  backlog_->bytes.drop(std::exchange(backlog_->writing, 0));
  if (!backlog_->bytes.empty()) return write_backlog();
  backlog_.reset();
  switch (phase_) {
    case Phase::reading:
      return group_->defer(*this);
    case Phase::lingering:
      return shut_down();
    case Phase::streaming:
      await_piece();
      if (observer_) observer_->on_sent();
      break;
    case Phase::held:
    case Phase::answering:
      break;
  }
}

std::size_t HttpConnection::room() const {
  const std::size_t ahead = std::min(limits::kStreamAheadBytes, group_->limits.write_buffer_bytes_max);
  return ahead - std::min(ahead, backlog_bytes());
}

std::size_t HttpConnection::backlog_bytes() const {
  if (!backlog_) return 0;
  const std::size_t queued = uv_stream_get_write_queue_size(reinterpret_cast<const uv_stream_t*>(&handle_));
  return backlog_->bytes.size() - backlog_->writing + queued;
}

}  // namespace collet::transport
