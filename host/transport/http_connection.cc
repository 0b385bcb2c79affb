#include "transport/http_connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/limits.h"
#include "base/log.h"
#include "transport/event_stream.h"
#include "transport/http_response.h"

namespace collet::transport {
namespace {

constexpr std::size_t kHeaderReadBytes = 4u << 10;
constexpr std::size_t kGatheredBytesMax = 64u << 10;  // of answers to pipelined requests, before they are sent

uv_buf_t buffer(std::string_view bytes) {
  return uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
}

}  // namespace

void HttpConnection::open(ConnectionGroup& group, int descriptor, bool local, const TlsContext* tls) {
  auto* connection = new HttpConnection(group, local);
  group.add(*connection);
  if (!connection->start(descriptor, tls)) {
    ::close(descriptor);
    connection->close();
  }
}

bool HttpConnection::start(int descriptor, const TlsContext* tls) {
  uv_loop_t* loop = group_->loop.uv();
  if (local_) {
    uv_pipe_init(loop, &handle_.pipe, 0);
  } else {
    uv_tcp_init(loop, &handle_.tcp);
  }
  stream()->data = this;
  if ((local_ ? uv_pipe_open(&handle_.pipe, descriptor) : uv_tcp_open(&handle_.tcp, descriptor)) != 0) return false;
  if (!local_) uv_tcp_nodelay(&handle_.tcp, 1);
  if (tls) tls_ = std::make_unique<TlsSession>(*tls);
  start_reading();
  settle();
  return true;
}

void HttpConnection::start_reading() {
  uv_read_start(
      stream(),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* into) {
        *into = static_cast<HttpConnection*>(handle->data)->read_space();
      },
      [](uv_stream_t* handle, ssize_t bytes, const uv_buf_t*) {
        static_cast<HttpConnection*>(handle->data)->on_read(bytes);
      });
}

void HttpConnection::close() {
  if (std::exchange(closing_, true)) return;
  group_->release_output_of(*this);
  group_->forget_deferred(*this);
  group_->wait(*this, Wait::close);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_),
           [](uv_handle_t* handle) { static_cast<HttpConnection*>(handle->data)->closed(); });
}

void HttpConnection::closed() {
  if (group_) {
    if (observer_) std::exchange(observer_, nullptr)->on_gone();
    group_->remove(*this);
  }
  delete this;
}

void HttpConnection::abandon() {
  group_ = nullptr;
  if (observer_) std::exchange(observer_, nullptr)->on_gone();
  if (std::exchange(closing_, true)) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_),
           [](uv_handle_t* handle) { static_cast<HttpConnection*>(handle->data)->closed(); });
}

void HttpConnection::time_is_up() {
  switch (wait_) {
    case Wait::header:
    case Wait::body:
      if (tls_ && !tls_->established()) return close();
      return refuse(408, "the request did not come in time");
    case Wait::comment:
      events::append_comment(output(), !http_1_0_);
      return event_written();
    case Wait::write: {
      // Slow is no reason to cut, stuck is.
      const std::size_t left = backlog_bytes();
      if (left >= std::exchange(backlog_at_deadline_, left)) return close();
      return group_->wait(*this, Wait::write);
    }
    case Wait::idle:
    case Wait::linger:
    case Wait::reply:
    case Wait::close:
      break;
  }
  close();
}

uv_buf_t HttpConnection::read_space() {
  if (!tls_) return space();
  if (!group_->ciphertext) {
    group_->ciphertext = std::make_unique_for_overwrite<char[]>(ConnectionGroup::kReadBytes);
  }
  return uv_buf_init(group_->ciphertext.get(), ConnectionGroup::kReadBytes);
}

// Where the next bytes of requests go.
uv_buf_t HttpConnection::space() {
  if (!kept_) return uv_buf_init(group_->read_buffer.get(), ConnectionGroup::kReadBytes);
  const std::size_t hint = kept_->parser.size_hint();
  const std::size_t wanted = hint > kept_->size ? hint - kept_->size : kHeaderReadBytes;
  kept_->reserve(std::min(wanted, ConnectionGroup::kReadBytes));
  return uv_buf_init(kept_->bytes.get() + kept_->size, static_cast<unsigned>(kept_->capacity - kept_->size));
}

void HttpConnection::Kept::reserve(std::size_t free_bytes) {
  if (capacity - size >= free_bytes) return;
  const std::size_t grown = std::max(size + free_bytes, size + size / 2);
  auto larger = std::make_unique_for_overwrite<char[]>(grown);
  if (size > 0) std::memcpy(larger.get(), bytes.get(), size);
  bytes = std::move(larger);
  capacity = grown;
}

void HttpConnection::keep(HttpParser&& parser, const char* bytes, std::size_t size) {
  kept_ = std::make_unique<Kept>(std::move(parser));
  kept_->reserve(size);
  std::memcpy(kept_->bytes.get(), bytes, size);
  kept_->size = size;
}

void HttpConnection::on_read(ssize_t bytes) {
  if (bytes == 0) return;
  if (bytes < 0) return on_end(bytes);
  if (phase_ == Phase::lingering) return;
  corked_ = true;
  if (tls_) {
    tls_->receive({group_->ciphertext.get(), static_cast<std::size_t>(bytes)});
    decrypt();
  } else {
    received(static_cast<std::size_t>(bytes));
  }
  uncork();
}

void HttpConnection::uncork() {
  corked_ = false;
  flush();
  settle();
}

// An end while an answer is owed counts as leaving: a client's close() and its shutdown(SHUT_WR) look the same.
void HttpConnection::on_end(ssize_t error) {
  if (error == UV_EOF && backlog_ && (phase_ == Phase::reading || phase_ == Phase::lingering)) {
    read_ended_ = true;
    uv_read_stop(stream());
    return;
  }
  close();
}

void HttpConnection::decrypt() {
  int bytes = 0;
  while (!closing_ && !paused_ && phase_ != Phase::lingering) {
    const uv_buf_t to = space();
    bytes = tls_->decrypt(to.base, to.len);
    if (bytes <= 0) break;
    received(static_cast<std::size_t>(bytes));
  }
  if (closing_) return;
  flush();
  send_encrypted();  // of the handshake
  if (bytes >= 0 || closing_) return;
  if (!tls_->why().empty()) log::debug("closing a TLS connection: {}", tls_->why());
  on_end(tls_->why().empty() ? UV_EOF : UV_ECONNRESET);
}

// Takes what has been read into space().
void HttpConnection::received(std::size_t bytes) {
  if (kept_) {
    kept_->size += bytes;
    serve_kept();
  } else if (!may_read_request()) {
    keep(HttpParser(group_->limits), group_->read_buffer.get(), bytes);
  } else {
    char* data = group_->read_buffer.get();
    HttpParser& parser = group_->parser;
    const std::size_t used = consume(parser, data, bytes);
    if (used < bytes && phase_ != Phase::lingering && !closing_) keep(std::move(parser), data + used, bytes - used);
    parser.reset();
  }
  if (kept_ && !may_read_request() && kept_->size > limits::kHttpPipelineBytesMax && !closing_) {
    paused_ = true;
    uv_read_stop(stream());
  }
}

void HttpConnection::serve_kept() {
  if (!may_read_request()) return;
  const std::size_t used = consume(kept_->parser, kept_->bytes.get(), kept_->size);
  if (used == kept_->size || phase_ == Phase::lingering) {
    kept_.reset();
    return;
  }
  kept_->size -= used;
  std::memmove(kept_->bytes.get(), kept_->bytes.get() + used, kept_->size);
}

// Answers the requests that lie in [bytes, bytes + size) until one is incomplete or its answer is pending. How many
// bytes are done with; `size` may shrink.
std::size_t HttpConnection::consume(HttpParser& parser, char* bytes, std::size_t& size) {
  std::size_t used = 0;
  while (used < size && may_read_request()) {
    std::size_t left = size - used;
    const HttpParser::Status status = parser.parse(bytes + used, left);
    size = used + left;
    if (status == HttpParser::Status::need_more) {
      if (parser.take_expect_continue()) output().append("HTTP/1.1 100 Continue\r\n\r\n");
      break;
    }
    if (status == HttpParser::Status::failed) {
      refuse(parser.error_status(), parser.error_text());
      return size;
    }
    used += parser.consumed();
    answer(parser);
    parser.reset();
  }
  return used;
}

void HttpConnection::answer(HttpParser& parser) {
  HttpRequest& request = parser.request();
  request.secure = tls_ != nullptr;
  request.local = local_;
  phase_ = Phase::answering;
  keep_alive_ = parser.keep_alive();
  http_1_0_ = parser.is_http_1_0();
  head_ = request.method == "HEAD";
  group_->wait(*this, Wait::reply);
  group_->handler.on_request(request, *this);
}

void HttpConnection::refuse(int status, std::string_view text) {
  keep_alive_ = http_1_0_ = head_ = false;
  phase_ = Phase::answering;
  const Header type{"Content-Type", "text/plain; charset=utf-8"};
  const std::string_view body[] = {text, "\n"};
  respond(status, {&type, 1}, body);
}

void HttpConnection::resume() {
  corked_ = true;
  flush();
  if (kept_) serve_kept();
  if (paused_ && !closing_ && (!kept_ || kept_->size <= limits::kHttpPipelineBytesMax)) {
    paused_ = false;
    start_reading();
  }
  if (tls_ && may_read_request()) decrypt();
  uncork();
}

// Says what is waited for next.
void HttpConnection::settle() {
  if (closing_ || phase_ != Phase::reading) return;
  const auto wait_for = [this](Wait what) {
    if (wait_ != what) group_->wait(*this, what);
  };
  if (backlog_) {
    if (wait_ != Wait::write) backlog_at_deadline_ = backlog_bytes();
    wait_for(Wait::write);
  } else if (kept_) {
    wait_for(kept_->parser.header_complete() ? Wait::body : Wait::header);
  } else if (tls_ && !tls_->established()) {
    wait_for(Wait::header);
  } else if (group_->draining()) {
    close();
  } else {
    group_->wait(*this, Wait::idle);
  }
}

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

void HttpConnection::event(std::string_view data) {
  COLLET_ASSERT(phase_ == Phase::streaming);
  if (closing_ || head_) return;
  std::string folded;
  if (events::has_line_breaks(data)) data = folded = events::fold_lines(data);
  std::string& out = output();
  events::append_prefix(out, data.size(), !http_1_0_);
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
  if (!keep_alive_) return linger();
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
