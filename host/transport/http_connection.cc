#include "transport/http_connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/limits.h"
#include "base/log.h"
#include "transport/event_stream.h"

namespace collet::transport {
namespace {

constexpr std::size_t kHeaderReadBytes = 4u << 10;

// The parser that a loop's connections share: ready for the next one afterwards, whatever happens.
struct LentParser {
  HttpParser& parser;
  ~LentParser() { parser.reset(); }
};

}  // namespace

void HttpConnection::open(ConnectionGroup& group, int descriptor, Peer peer, std::string address,
                          TlsContext* tls) {
  auto* connection = new HttpConnection(group, peer, std::move(address));
  if (tls) connection->tls_ = std::make_unique<TlsSession>(*tls);
  connection->start(descriptor);
}

HttpConnection::HttpConnection(ConnectionGroup& group, Moved moved)
    : group_(&group),
      address_(std::move(moved.address)),
      hold_(std::move(moved.hold)),
      known_(std::move(moved.known)),
      kept_(std::move(moved.kept)),
      tls_(std::move(moved.tls)),
      peer_(moved.peer) {
  kept_->parser.heed(group.limits);
}

// At its new loop, where there may be no room for it.
void HttpConnection::go_on(ConnectionGroup& group, Moved moved) {
  const bool full = group.size() >= group.limits.connections_max;
  const int descriptor = moved.socket.release();
  auto* connection = new HttpConnection(group, std::move(moved));
  connection->start(descriptor);
  if (connection->closing_) return;
  if (full) return connection->refuse(503, "too many large requests are being sent", {});
  connection->settle();
}

bool HttpConnection::is_large() const {
  return kept_->parser.header_complete() && std::max(kept_->size, kept_->parser.size_hint()) > kLargeRequestBytes;
}

// False: it stays here.
bool HttpConnection::move_aside() {
  if (!group_->aside || group_->draining()) return false;
  uv_os_fd_t descriptor;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(&handle_), &descriptor) != 0) return false;
  Descriptor socket(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  if (!socket) return false;
  Moved moved{std::move(socket), peer_, address_, std::move(hold_), std::move(known_), std::move(kept_), std::move(tls_)};
  group_->aside->loop.post([to = group_->aside, moved = std::move(moved)]() mutable { go_on(*to, std::move(moved)); });
  close();
  return true;
}

// Takes over `descriptor`; closes itself if it cannot.
void HttpConnection::start(int descriptor) {
  group_->add(*this);
  uv_loop_t* loop = group_->loop.uv();
  const bool local = peer_ == Peer::unix_socket;
  if (local) {
    uv_pipe_init(loop, &handle_.pipe, 0);
  } else {
    uv_tcp_init(loop, &handle_.tcp);
  }
  stream()->data = this;
  if ((local ? uv_pipe_open(&handle_.pipe, descriptor) : uv_tcp_open(&handle_.tcp, descriptor)) != 0) {
    ::close(descriptor);
    return close();
  }
  if (!local) uv_tcp_nodelay(&handle_.tcp, 1);
  start_reading();
}

void HttpConnection::start_reading() {
  uv_read_start(
      stream(),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* into) {
        auto& connection = *static_cast<HttpConnection*>(handle->data);
        try {
          *into = connection.read_space();
        } catch (const std::bad_alloc&) {
          *into = uv_buf_init(nullptr, 0);
        }
      },
      [](uv_stream_t* handle, ssize_t bytes, const uv_buf_t*) {
        static_cast<HttpConnection*>(handle->data)->on_read(bytes);
      });
}

void HttpConnection::close() {
  if (std::exchange(closing_, true)) return;
  hangup_.reset();
  group_->release_output_of(*this);
  group_->forget_deferred(*this);
  group_->wait(*this, Wait::close);
  const auto closed = [](uv_handle_t* handle) { static_cast<HttpConnection*>(handle->data)->closed(); };
  if (resets_ && peer_ != Peer::unix_socket && uv_tcp_close_reset(&handle_.tcp, closed) == 0) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_), closed);
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
  hangup_.reset();
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_),
           [](uv_handle_t* handle) { static_cast<HttpConnection*>(handle->data)->closed(); });
}

void HttpConnection::time_is_up() {
  switch (wait_) {
    case Wait::header:
    case Wait::body:
      return refuse(408, "the request did not come in time",
                    kept_->parser.salvage({kept_->bytes.get(), kept_->size}));
    case Wait::comment:
      if (!head_) events::append_comment(output(), !http_1_0_);
      return piece_written();
    case Wait::write: {
      // Slow is no reason to cut, stuck is.
      const std::uint64_t taken = written_bytes_ - backlog_bytes();
      if (taken == std::exchange(taken_at_deadline_, taken)) return close();
      return group_->wait(*this, Wait::write);
    }
    case Wait::first:
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

// Where the next bytes of requests go; none if there is no memory for them.
uv_buf_t HttpConnection::space() {
  if (!kept_) return uv_buf_init(group_->read_buffer.get(), ConnectionGroup::kReadBytes);
  const std::size_t hint = kept_->parser.size_hint();
  const std::size_t wanted = hint > kept_->size ? hint - kept_->size : kHeaderReadBytes;
  if (!make_room(std::min(wanted, ConnectionGroup::kReadBytes))) return uv_buf_init(nullptr, 0);
  return uv_buf_init(kept_->bytes.get() + kept_->size, static_cast<unsigned>(kept_->capacity - kept_->size));
}

bool HttpConnection::make_room(std::size_t free_bytes) {
  if (!hold_.grow(kept_->capacity_for(free_bytes))) return false;
  kept_->reserve(free_bytes);
  return true;
}

std::size_t HttpConnection::Kept::capacity_for(std::size_t free_bytes) const {
  if (capacity - size >= free_bytes) return capacity;
  const std::size_t grown = std::max(size + free_bytes, size + size / 2);
  const std::size_t hint = parser.size_hint();
  return hint > size ? std::min(grown, hint) : grown;
}

// What was held for a request that has been answered.
void HttpConnection::let_go() {
  if (owes_answer()) return;
  hold_.shrink(kept_ ? kept_->capacity : 0);
  if (!kept_) static_cast<void>(hold_.pass_to(address_));  // whoever is next
}

void HttpConnection::Kept::reserve(std::size_t free_bytes) {
  const std::size_t grown = capacity_for(free_bytes);
  if (grown == capacity) return;
  auto larger = std::make_unique_for_overwrite<char[]>(grown);
  if (size > 0) std::memcpy(larger.get(), bytes.get(), size);
  bytes = std::move(larger);
  capacity = grown;
}

void HttpConnection::keep(HttpParser&& parser, const char* bytes, std::size_t size) {
  kept_ = std::make_unique<Kept>(std::move(parser));
  if (!make_room(size)) return drop_for_memory();
  std::memcpy(kept_->bytes.get(), bytes, size);
  kept_->size = size;
}

void HttpConnection::on_read(ssize_t bytes) {
  try {
    take(bytes);
  } catch (const std::bad_alloc&) {
    log::error("out of memory: a connection is closed");
    close();
  }
}

void HttpConnection::take(ssize_t bytes) {
  if (bytes == 0) return;
  if (bytes < 0 && bytes != UV_ENOBUFS) return on_end(bytes);
  if (phase_ == Phase::lingering || closing_) return;
  corked_ = true;
  if (bytes < 0) {
    drop_for_memory();
    return uncork();
  }
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

// A client's close() and its shutdown(SHUT_WR) look the same. What it is owed is still sent.
void HttpConnection::on_end(ssize_t error) {
  // A deferred connection has a request that it keeps.
  if (error != UV_EOF || !(owes_answer() || backlog_ || deferred_)) return close();
  read_ended_ = true;
  uv_read_stop(stream());
  if (owes_answer()) look_for_client();
}

// Sends what the answer begins with in any case: if the client has closed, its system resets the connection.
void HttpConnection::look_for_client() {
  if (phase_ != Phase::streaming) {
    if (!std::exchange(begun_, true)) output().append(kAnswerBegin);
  } else if (events_ && !head_) {
    events::append_comment(output(), !http_1_0_);
  } else if (!head_ && !http_1_0_) {
    output().append("0");  // of the next chunk's size, or the last one's
  }
  flush();
  uv_os_fd_t descriptor;
  if (closing_ || hangup_ || uv_fileno(reinterpret_cast<uv_handle_t*>(&handle_), &descriptor) != 0) return;
  hangup_ = loop::HangupWatch::open(group_->loop, descriptor, [this] { close(); });
}

void HttpConnection::decrypt() {
  int bytes = 0;
  while (!closing_ && !paused_ && phase_ != Phase::lingering) {
    const uv_buf_t to = space();
    if (!to.base) {
      drop_for_memory();
      break;
    }
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
    const LentParser lent{group_->parser};
    const std::size_t used = consume(lent.parser, data, bytes);
    if (used < bytes && phase_ != Phase::lingering && !closing_) keep(std::move(lent.parser), data + used, bytes - used);
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
    return let_go();
  }
  kept_->size -= used;
  std::memmove(kept_->bytes.get(), kept_->bytes.get() + used, kept_->size);
}

// Answers the requests that lie in [bytes, bytes + size) until one is incomplete or held, or its answer is pending. How
// many bytes are done with; `size` may shrink.
std::size_t HttpConnection::consume(HttpParser& parser, char* bytes, std::size_t& size) {
  std::size_t used = 0;
  while (used < size && may_read_request()) {
    std::size_t left = size - used;
    const HttpParser::Status status = parser.parse(bytes + used, left);
    size = used + left;
    if (status == HttpParser::Status::need_more) {
      if (parser.take_header() && is_refused(parser, bytes + used)) return phase_ == Phase::held ? used : size;
      if (parser.take_expect_continue() && !read_ended_) output().append("HTTP/1.1 100 Continue\r\n\r\n");
      break;
    }
    if (status == HttpParser::Status::failed) {
      refuse(parser.error_status(), parser.error_text(), parser.salvage({bytes + used, left}));
      return size;
    }
    hand_over(parser);
    if (phase_ == Phase::held) break;
    used += parser.consumed();
    parser.reset();
    known_.reset();
  }
  return used;
}

void HttpConnection::describe_client(HttpRequest& request) const {
  request.secure = tls_ != nullptr;
  request.local = peer_ == Peer::unix_socket;
  request.loopback = peer_ == Peer::loopback;
  request.client = hold_.client();
  request.known = known_.get();
}

// By its header: then its body is not read. A request that is held is asked about again.
bool HttpConnection::is_refused(HttpParser& parser, const char* bytes) {
  HttpRequest header = parser.header(bytes);
  describe_client(header);
  phase_ = Phase::answering;
  keep_alive_ = false;
  http_1_0_ = parser.is_http_1_0();
  head_ = header.method == "HEAD";
  HttpSender sender{address_, known_};
  if (group_->handler.refuses(header, *this, sender)) {
    if (phase_ == Phase::held) parser.put_header_back();
    return true;
  }
  phase_ = Phase::reading;
  known_ = std::move(sender.known);
  if (sender.client == address_ || hold_.pass_to(sender.client)) return false;
  refuse_for_memory(header);
  return true;
}

void HttpConnection::hand_over(HttpParser& parser) {
  HttpRequest& request = parser.request();
  describe_client(request);
  served_ = true;
  phase_ = Phase::answering;
  keep_alive_ = parser.keep_alive();
  http_1_0_ = parser.is_http_1_0();
  head_ = request.method == "HEAD";
  group_->wait(*this, Wait::reply);
  group_->handler.on_request(request, *this);
  COLLET_ASSERT(!owes_answer() || closing_ || observer_);  // else nobody would know when the reply ends
  if (read_ended_ && owes_answer() && !closing_) look_for_client();
}

void HttpConnection::hold() {
  COLLET_ASSERT(phase_ == Phase::answering && corked_ && observer_);
  phase_ = Phase::held;
  group_->wait(*this, Wait::reply);
}

void HttpConnection::release(std::shared_ptr<const void> known) {
  COLLET_ASSERT(phase_ == Phase::held);
  observer_ = nullptr;
  if (closing_) return;
  known_ = std::move(known);
  phase_ = Phase::reading;
  group_->defer(*this);
}

void HttpConnection::refuse(int status, std::string_view text, const HttpRequest& request) {
  keep_alive_ = http_1_0_ = head_ = false;
  phase_ = Phase::answering;
  std::vector<Header> headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  group_->handler.on_refusal(request, headers);
  const std::string_view body[] = {text, "\n"};
  respond(status, headers, body);
}

void HttpConnection::refuse_for_memory(const HttpRequest& request) {
  group_->tell_memory_is_full();
  refuse(503, "too much is being sent at once", request);
}

// What has come cannot be kept. Ahead of an answer that is owed there is nobody to be told.
void HttpConnection::drop_for_memory() {
  if (phase_ != Phase::reading || !kept_) {
    group_->tell_memory_is_full();
    return close();
  }
  refuse_for_memory(kept_->parser.salvage({kept_->bytes.get(), kept_->size}));
  kept_.reset();
  hold_.shrink(0);
}

void HttpConnection::resume() {
  corked_ = true;
  flush();
  if (kept_) serve_kept();
  const bool too_far_ahead = kept_ && !may_read_request() && kept_->size > limits::kHttpPipelineBytesMax;
  if (paused_ && !too_far_ahead && !closing_) {
    paused_ = false;
    if (!read_ended_) start_reading();
  }
  if (tls_ && may_read_request()) decrypt();
  uncork();
}

// Says what is waited for next. A deferred connection goes on by itself.
void HttpConnection::settle() {
  if (closing_ || deferred_ || phase_ != Phase::reading) return;
  const auto wait_for = [this](Wait what) {
    if (wait_ != what) group_->wait(*this, what);
  };
  if (backlog_) {
    wait_for_write();
  } else if (read_ended_) {
    close();
  } else if (kept_) {
    if (is_large() && move_aside()) return;
    wait_for(kept_->parser.header_complete() ? Wait::body : Wait::header);
  } else if (group_->draining()) {
    close();
  } else if (served_) {
    group_->wait(*this, Wait::idle);
  } else if (!tls_ || tls_->established()) {
    group_->wait(*this, Wait::first);
  }
}

void HttpConnection::wait_for_write() {
  if (wait_ == Wait::write) return;
  taken_at_deadline_ = written_bytes_ - backlog_bytes();
  group_->wait(*this, Wait::write);
}

}  // namespace collet::transport
