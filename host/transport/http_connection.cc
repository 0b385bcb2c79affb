#include "transport/http_connection.h"

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/limits.h"
#include "base/log.h"
#include "transport/http_response.h"

namespace collet::transport {
namespace {

// The parser that a loop's connections share: ready for the next one afterwards, whatever happens.
struct LentParser {
  HttpParser& parser;
  ~LentParser() { parser.reset(); }
};

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kTooLate = "the request did not come in time";

}  // namespace

void HttpConnection::open(ConnectionGroup& group, int descriptor, Peer peer, std::string address,
                          TlsContext* tls) {
  auto* connection = new HttpConnection(group, peer, std::move(address));
  if (tls) connection->socket_.use_tls(std::make_unique<TlsSession>(*tls));
  connection->start(descriptor);
}

HttpConnection::HttpConnection(ConnectionGroup& group, Moved moved)
    : group_(&group), input_(std::move(moved.input)), output_(socket_, group.output), peer_(moved.peer) {
  socket_.use_tls(std::move(moved.tls));
  input_.heed(group.limits);
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

// False: it stays here.
bool HttpConnection::move_aside() {
  if (!group_->aside || group_->draining()) return false;
  Descriptor socket = socket_.duplicate();
  if (!socket) return false;
  Moved moved{std::move(socket), peer_, std::move(input_), socket_.take_tls()};
  group_->aside->loop.post([to = group_->aside, moved = std::move(moved)]() mutable { go_on(*to, std::move(moved)); });
  close();
  return true;
}

// Takes over `descriptor`; closes itself if it cannot.
void HttpConnection::start(int descriptor) {
  group_->add(*this);
  if (!socket_.open(group_->loop.uv(), descriptor, peer_ == Peer::unix_socket, *this)) return close();
  start_reading();
}

void HttpConnection::start_reading() {
  socket_.start_reading(
      [](uv_handle_t* handle, std::size_t, uv_buf_t* into) {
        auto& connection = static_cast<HttpConnection&>(*static_cast<ClientSocket::Owner*>(handle->data));
        try {
          *into = connection.read_space();
        } catch (const std::bad_alloc&) {
          *into = uv_buf_init(nullptr, 0);
        }
      },
      [](uv_stream_t* handle, ssize_t bytes, const uv_buf_t*) {
        static_cast<HttpConnection&>(*static_cast<ClientSocket::Owner*>(handle->data)).on_read(bytes);
      });
}

void HttpConnection::close() {
  if (std::exchange(closing_, true)) return;
  hangup_.reset();
  output_.drop_gathered();
  group_->forget_deferred(*this);
  group_->wait(*this, Wait::close);
  socket_.close(resets_);
}

void HttpConnection::on_closed() {
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
  socket_.close(false);
}

void HttpConnection::time_is_up() {
  switch (place_.wait) {
    case Wait::header:
    case Wait::body:
      if (body_) return fail_body(408, kTooLate);
      return refuse(408, kTooLate, input_.salvage());
    case Wait::comment:
      answer_.comment(output_);
      return piece_written();
    case Wait::write:
      if (!output_.took_more()) return close();  // slow is no reason to cut, stuck is
      return group_->wait(*this, Wait::write);
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
  if (!socket_.tls()) return space();
  if (!group_->ciphertext) {
    group_->ciphertext = std::make_unique_for_overwrite<char[]>(ConnectionGroup::kReadBytes);
  }
  return uv_buf_init(group_->ciphertext.get(), ConnectionGroup::kReadBytes);
}

// Where the next bytes of requests go; none if there is no memory for them.
uv_buf_t HttpConnection::space() {
  if (input_.is_empty()) {
    const std::size_t room = body_ ? limits::kHttpBodyAheadBytesMax - body_ahead_ : ConnectionGroup::kReadBytes;
    return uv_buf_init(group_->read_buffer.get(), static_cast<unsigned>(std::min(room, ConnectionGroup::kReadBytes)));
  }
  const std::span<char> space = input_.space(ConnectionGroup::kReadBytes);
  return uv_buf_init(space.data(), static_cast<unsigned>(space.size()));
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
  if (TlsSession* tls = socket_.tls()) {
    tls->receive({group_->ciphertext.get(), static_cast<std::size_t>(bytes)});
    decrypt();
  } else {
    received(static_cast<std::size_t>(bytes));
  }
  uncork();
}

void HttpConnection::uncork() {
  corked_ = false;
  output_.flush();
  settle();
}

// A client's close() and its shutdown(SHUT_WR) look the same. What it is owed is still sent.
void HttpConnection::on_end(ssize_t error) {
  // A deferred connection has a request that it keeps. One whose body has not come whole is none.
  if (error != UV_EOF || body_ || !(owes_answer() || output_.waits() || place_.deferred)) return close();
  read_ended_ = true;
  socket_.stop_reading();
  if (owes_answer()) look_for_client();
}

// Sends what the answer begins with in any case: if the client has closed, its system resets the connection.
void HttpConnection::look_for_client() {
  if (phase_ != Phase::streaming) {
    answer_.begin_early(output_);
  } else {
    answer_.go_on_early(output_);
  }
  output_.flush();
  if (closing_ || hangup_) return;
  const int descriptor = socket_.descriptor();
  if (descriptor < 0) return;
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
    bytes = socket_.tls()->decrypt(to.base, to.len);
    if (bytes <= 0) break;
    received(static_cast<std::size_t>(bytes));
  }
  if (closing_) return;
  output_.flush();
  output_.send_encrypted();  // of the handshake
  if (bytes >= 0 || closing_) return;
  const std::string& why = socket_.tls()->why();
  if (!why.empty()) log::debug("closing a TLS connection: {}", why);
  on_end(why.empty() ? UV_EOF : UV_ECONNRESET);
}

// Takes what has been read into space().
void HttpConnection::received(std::size_t bytes) {
  if (!input_.is_empty()) {
    input_.add(bytes);
    serve_kept();
  } else {
    std::span<char> got{group_->read_buffer.get(), bytes};
    if (body_) got = take_body(got);
    if (!got.empty()) receive_request(got);
  }
  if (reads_too_fast() && !closing_) {
    paused_ = true;
    socket_.stop_reading();
  }
  if (body_) await_more();
}

// Bytes of requests, of which none are kept yet.
void HttpConnection::receive_request(std::span<char> bytes) {
  if (!may_read_request()) {
    if (phase_ != Phase::lingering && !closing_) keep(HttpParser(group_->limits), bytes);
    return;
  }
  const LentParser lent{group_->parser};
  const std::span<char> rest = consume(lent.parser, bytes);
  if (!rest.empty() && phase_ != Phase::lingering && !closing_) keep(std::move(lent.parser), rest);
}

// Once it is paused it waits for half of what is ahead to be taken, so as not to read byte by byte.
bool HttpConnection::reads_too_fast() {
  if (body_) return paused_ ? 2 * body_ahead_ > limits::kHttpBodyAheadBytesMax : body_ahead_ == limits::kHttpBodyAheadBytesMax;
  return has_kept_too_much();
}

// Ahead of an answer that is owed or has not been taken yet.
bool HttpConnection::has_kept_too_much() {
  return !input_.is_empty() && !may_read_request() && input_.bytes().size() > limits::kHttpPipelineBytesMax;
}

void HttpConnection::keep(HttpParser&& parser, std::span<const char> bytes) {
  if (!input_.keep(std::move(parser), bytes)) drop_for_memory();
}

void HttpConnection::serve_kept() {
  if (!may_read_request()) return;
  const std::span<char> rest = consume(input_.parser(), input_.bytes());
  if (!rest.empty() && phase_ != Phase::lingering) return input_.keep_rest(rest);
  input_.clear();
  if (!owes_answer()) input_.let_go();
}

// Answers the requests that `bytes` begin with until one is incomplete or held, or its answer is pending. The bytes that
// are not done with; their parser may have taken some out.
std::span<char> HttpConnection::consume(HttpParser& parser, std::span<char> bytes) {
  while (!bytes.empty() && may_read_request()) {
    std::size_t left = bytes.size();
    const HttpParser::Status status = parser.parse(bytes.data(), left);
    bytes = bytes.first(left);
    if (status == HttpParser::Status::need_more) {
      if (parser.take_header()) {
        std::size_t streamed_bytes_max = 0;
        if (is_refused(parser, bytes.data(), streamed_bytes_max)) return phase_ == Phase::held ? bytes : std::span<char>();
        if (streamed_bytes_max > 0) {
          bytes = begin_body(parser, bytes, streamed_bytes_max);
          parser.reset();
          input_.know(nullptr);
          continue;
        }
      }
      if (parser.take_expect_continue() && !read_ended_) output_.gathered().append(kContinue);
      break;
    }
    if (status == HttpParser::Status::failed) {
      refuse(parser.error_status(), parser.error_text(), parser.salvage({bytes.data(), left}));
      return {};
    }
    hand_over(parser);
    if (phase_ == Phase::held) break;
    bytes = bytes.subspan(parser.consumed());
    parser.reset();
    input_.know(nullptr);
  }
  return bytes;
}

void HttpConnection::describe_client(HttpRequest& request) const {
  request.secure = socket_.tls() != nullptr;
  request.local = peer_ == Peer::unix_socket;
  request.loopback = peer_ == Peer::loopback;
  input_.describe_sender(request);
}

// By its header: then its body is not read. A request that is held is asked about again.
bool HttpConnection::is_refused(HttpParser& parser, const char* bytes, std::size_t& streamed_bytes_max) {
  HttpRequest header = parser.header(bytes);
  describe_client(header);
  phase_ = Phase::answering;
  answer_.set_request(false, parser.is_http_1_0(), header.method == "HEAD");
  HttpSender sender = input_.sender();
  if (group_->handler.refuses(header, *this, sender)) {
    if (phase_ == Phase::held) parser.put_header_back();
    return true;
  }
  phase_ = Phase::reading;
  streamed_bytes_max = std::min(sender.streamed_bytes_max, std::max(group_->limits.streamed_bytes_max, group_->limits.body_bytes_max));
  if (!input_.count_to(std::move(sender)) || (streamed_bytes_max > 0 && !input_.hold_ahead(limits::kHttpBodyAheadBytesMax))) {
    refuse_for_memory(header);
    return true;
  }
  if (streamed_bytes_max > 0 || !parser.is_oversized()) return false;
  refuse(413, kBodyTooLarge, header);
  return true;
}

void HttpConnection::hand_over(HttpParser& parser) {
  HttpRequest& request = parser.request();
  describe_client(request);
  give_to_handler(request, parser);
  if (read_ended_ && owes_answer() && !closing_) look_for_client();
}

void HttpConnection::give_to_handler(const HttpRequest& request, HttpParser& parser) {
  served_ = true;
  phase_ = Phase::answering;
  answer_.set_request(parser.keep_alive(), parser.is_http_1_0(), request.method == "HEAD");
  group_->wait(*this, Wait::reply);
  group_->handler.on_request(request, *this);
  COLLET_ASSERT(!owes_answer() || closing_ || observer_);  // else nobody would know when the reply ends
}

// Hands the request over without its body, and then what has come of that. The bytes behind the body, if all of it has.
std::span<char> HttpConnection::begin_body(HttpParser& parser, std::span<char> bytes, std::size_t bytes_max) {
  HttpRequest request = parser.header(bytes.data());
  describe_client(request);
  auto begun = parser.begin_body(bytes, bytes_max);
  if (!begun) {
    refuse(413, kBodyTooLarge, request);
    return {};
  }
  request.body_follows = true;
  body_ = std::make_unique<HttpBody>(begun->body);
  body_ahead_ = 0;
  expects_continue_ = parser.take_expect_continue();
  give_to_handler(request, parser);
  COLLET_ASSERT(phase_ != Phase::held);
  if (body_ && !closing_ && !begun->begun.empty()) tell_body(begun->begun, false);
  const std::span<char> behind = body_ && !closing_ ? take_body(begun->rest) : std::span<char>();
  if (read_ended_ && owes_answer() && !closing_) body_ ? close() : look_for_client();
  return behind;
}

// The bytes behind the body, if that is whole.
std::span<char> HttpConnection::take_body(std::span<char> bytes) {
  if (bytes.empty()) return {};
  expects_continue_ = false;
  std::string_view piece;
  switch (body_->take(bytes, piece)) {
    case HttpBody::Status::need_more:
      if (!piece.empty()) tell_body(piece, false);
      return {};
    case HttpBody::Status::complete:
      body_.reset();
      await_more();
      tell_body(piece, true);
      return bytes;
    case HttpBody::Status::malformed:
      fail_body(400, kMalformedChunk);
      return {};
    case HttpBody::Status::too_large:
      break;
  }
  fail_body(413, kBodyTooLarge);
  return {};
}

void HttpConnection::tell_body(std::string_view piece, bool last) {
  body_ahead_ += piece.size();
  observer_->on_body(piece, last);
}

void HttpConnection::fail_body(int status, std::string_view why) {
  observer_->on_body_failed(status, why);
  if (body_) close();  // there was no memory for an answer
}

void HttpConnection::body_taken(std::size_t bytes) {
  body_ahead_ -= std::min(bytes, body_ahead_);
  if (!body_ || closing_) return;
  if (phase_ == Phase::answering && std::exchange(expects_continue_, false)) output_.gathered().append(kContinue);
  if (corked_) return;
  output_.flush();
  if (closing_) return;
  if (paused_) {
    group_->defer(*this);
  } else {
    await_more();
  }
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
  input_.know(std::move(known));
  phase_ = Phase::reading;
  group_->defer(*this);
}

void HttpConnection::refuse(int status, std::string_view text, const HttpRequest& request) {
  answer_.set_request(false, false, false);
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
  if (phase_ != Phase::reading || input_.is_empty()) {
    group_->tell_memory_is_full();
    return close();
  }
  refuse_for_memory(input_.salvage());
  input_.drop_all();
}

void HttpConnection::resume() {
  corked_ = true;
  output_.flush();
  if (!input_.is_empty()) serve_kept();
  if (paused_ && !reads_too_fast() && !closing_) {
    paused_ = false;
    if (!read_ended_) start_reading();
  }
  if (socket_.tls() && (may_read_request() || (body_ && !closing_))) decrypt();
  if (body_) await_more();
  uncork();
}

// Says what is waited for next. A deferred connection goes on by itself.
void HttpConnection::settle() {
  if (closing_ || place_.deferred || phase_ != Phase::reading) return;
  const auto wait_for = [this](Wait what) {
    if (place_.wait != what) group_->wait(*this, what);
  };
  if (output_.waits()) {
    wait_for_write();
  } else if (read_ended_) {
    close();
  } else if (!input_.is_empty()) {
    if (input_.is_large() && move_aside()) return;
    wait_for(input_.parser().header_complete() ? Wait::body : Wait::header);
  } else if (group_->draining()) {
    close();
  } else if (served_) {
    group_->wait(*this, Wait::idle);
  } else if (!socket_.tls() || socket_.tls()->established()) {
    group_->wait(*this, Wait::first);
  }
}

void HttpConnection::wait_for_write() {
  if (place_.wait == Wait::write) return;
  static_cast<void>(output_.took_more());  // from now on
  group_->wait(*this, Wait::write);
}

void HttpConnection::see_whether_last() {
  if (group_->draining() || (read_ended_ && input_.is_empty())) answer_.end_connection();
}

void HttpConnection::respond(int status, std::span<const Header> headers, std::span<const std::string_view> body) {
  COLLET_ASSERT(phase_ == Phase::answering);
  observer_ = nullptr;
  if (closing_) return;
  see_whether_last();
  if (body_) answer_.end_connection();
  answer_.respond(output_, group_->date, status, headers, body);
  answered();
}

void HttpConnection::begin_events(std::span<const Header> headers) {
  if (!begin_stream()) return;
  answer_.begin_events(output_, group_->date, headers);
  stream_begun();
}

void HttpConnection::begin(int status, std::span<const Header> headers) {
  COLLET_ASSERT(status_has_body(status));
  if (!begin_stream()) return;
  answer_.begin(output_, group_->date, status, headers);
  stream_begun();
}

// False: nobody is there any more to get it.
bool HttpConnection::begin_stream() {
  COLLET_ASSERT(phase_ == Phase::answering);
  phase_ = Phase::streaming;
  if (closing_) return false;
  if (expects_continue_) answer_.end_connection();  // it may send its body now, or never, and has no time for it
  see_whether_last();
  return true;
}

void HttpConnection::stream_begun() {
  await_piece();
  if (!corked_) group_->defer(*this);  // the head leaves with the first piece, or in the next turn
}

// Of the answer, or of the body that it is made of.
void HttpConnection::await_more() {
  if (closing_ || !owes_answer() || phase_ == Phase::held) return;
  if (phase_ == Phase::streaming) {
    output_.waits() ? wait_for_write() : await_piece();
  } else {
    group_->wait(*this, awaits_body() ? Wait::body : Wait::reply);
  }
}

void HttpConnection::await_piece() {
  group_->wait(*this, answer_.has_events() ? Wait::comment : awaits_body() ? Wait::body : Wait::reply);
}

void HttpConnection::event(std::string_view data, const EventFields& fields) {
  COLLET_ASSERT(phase_ == Phase::streaming);
  if (closing_ || answer_.is_to_head() || (!fields.last && !reads_enough())) return;
  answer_.event(output_, data, fields);
  piece_written();
}

void HttpConnection::write(std::string_view bytes, bool last) {
  COLLET_ASSERT(phase_ == Phase::streaming);
  if (closing_ || answer_.is_to_head() || bytes.empty() || (!last && !reads_enough())) return;
  answer_.write(output_, bytes);
  piece_written();
}

// Of a stream: what waits already, not what is about to be written, tells whether its client reads.
bool HttpConnection::reads_enough() {
  if (output_.waiting_bytes() <= group_->limits.write_buffer_bytes_max) return true;
  log::info("closing a stream whose client does not read: {} bytes wait", output_.waiting_bytes());
  close();
  return false;
}

void HttpConnection::piece_written() {
  output_.flush();
  if (closing_) return;
  if (output_.waits()) return wait_for_write();
  await_piece();
}

void HttpConnection::abort() {
  COLLET_ASSERT(phase_ == Phase::streaming || phase_ == Phase::answering);
  observer_ = nullptr;
  resets_ = answer_.ends_by_close();  // to HTTP/1.0 an ordinary end is the answer's
  close();
}

void HttpConnection::end() {
  COLLET_ASSERT(phase_ == Phase::streaming);
  observer_ = nullptr;
  if (closing_) return;
  answer_.end(output_);
  answered();
}

// The answer is complete, though perhaps not yet sent.
void HttpConnection::answered() {
  observer_ = nullptr;
  if (closing_) return;
  phase_ = Phase::reading;
  input_.let_go();
  if (body_ || answer_.ends_connection() || group_->draining()) return linger();
  if (corked_) return output_.flush_if_full();
  output_.flush();
  if (closing_) return;  // the client has broken the connection
  if (!input_.is_empty() || socket_.tls() || paused_) {
    group_->defer(*this);
  } else {
    settle();
  }
}

// After the last answer. Closing at once would reset the connection if the client has sent more than was read, and
// the answer with it: so only our direction is closed, and the rest is dropped for a while.
void HttpConnection::linger() {
  phase_ = Phase::lingering;
  body_.reset();
  expects_continue_ = false;
  output_.flush();
  if (closing_) return;
  if (std::exchange(paused_, false) && !read_ended_) start_reading();
  if (output_.waits()) {
    wait_for_write();
  } else {
    shut_down();
  }
}

void HttpConnection::shut_down() {
  output_.end_tls();
  if (closing_) return;
  if (read_ended_) return close();
  socket_.shut_down();
  group_->wait(*this, Wait::linger);
}

void HttpConnection::on_sent() {
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
  return ahead - std::min(ahead, output_.waiting_bytes());
}

}  // namespace collet::transport
