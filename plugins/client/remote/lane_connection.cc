#include "client/remote/lane_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include <collet/kit/unread.hpp>

#include "client/limits.h"
#include "client/net/plain_stream.h"
#include "client/net/tls_stream.h"

namespace collet::client {
namespace {

using Outcome = ByteStream::Outcome;

std::string words(const char* what, int problem) { return std::string(what) + ": " + std::strerror(problem); }

}  // namespace

void LaneConnection::carry(std::string request, HttpSink& sink) {
  request_ = std::move(request);
  sent_ = 0;
  sink_ = &sink;
  head_told_ = false;
  kept_ = state_ == State::free;
  reader_.restart();
  state_ == State::unconnected ? connect() : begin();
}

void LaneConnection::connect() {
  state_ = State::connecting;
  const auto& address = reinterpret_cast<const sockaddr&>(route_->address);
  descriptor_ = kit::Descriptor(socket(address.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!descriptor_) return lose(words("there is no socket to connect with", errno), false);
  const int yes = 1;
  setsockopt(descriptor_.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(descriptor_.get(), SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  if (::connect(descriptor_.get(), &address, route_->address_size) != 0 && errno != EINPROGRESS) {
    return lose(words("cannot connect", errno), false);
  }
  watch_ = loops_.watch(
      descriptor_.get(), COLLET_LOOP_WRITABLE,
      [](void* self, std::uint32_t events) { static_cast<LaneConnection*>(self)->on_ready(events); }, this);
  timer_ = loops_.start_timer(
      limits::kConnectMs,
      [](void* context) {
        auto& self = *static_cast<LaneConnection*>(context);
        Owner& owner = self.owner_;
        self.timer_ = 0;
        self.lose("cannot connect within " + std::to_string(limits::kConnectMs) + " ms", false);
        owner.on_turn_end();
      },
      this);
  if (!watch_ || !timer_) lose("the host watches too much already", false);
}

void LaneConnection::on_ready(std::uint32_t) {
  Owner& owner = owner_;
  if (state_ == State::connecting) {
    on_connected();
  } else if (state_ == State::opening) {
    open();
  } else {
    if (unsent()) write();
    if (state_ != State::closed) read();
  }
  owner.on_turn_end();
}

void LaneConnection::on_connected() {
  int problem = 0;
  socklen_t size = sizeof problem;
  getsockopt(descriptor_.get(), SOL_SOCKET, SO_ERROR, &problem, &size);
  if (problem != 0) return lose(words("cannot connect", problem), false);
  if (route_->tls) {
    stream_ = std::make_unique<TlsStream>(descriptor_.get(), route_->tls);
  } else {
    stream_ = std::make_unique<PlainStream>(descriptor_.get());
  }
  state_ = State::opening;
  open();
}

void LaneConnection::open() {
  const auto outcome = stream_->open();
  if (outcome == Outcome::waits) return watch();
  if (outcome != Outcome::done) return lose("cannot connect: " + stream_->why(), false);
  stop_timer();
  begin();
}

void LaneConnection::begin() {
  state_ = State::busy;
  sent_before_ = stream_->sent();
  write();
}

// What cannot be written is no end yet: the remote may have answered before it closed.
void LaneConnection::write() {
  const auto [outcome, bytes] = stream_->write(std::string_view(request_).substr(sent_));
  sent_ += bytes;
  watch();
  if (outcome == Outcome::broken || outcome == Outcome::ended) read();
}

void LaneConnection::read() {
  char bytes[64 << 10];
  static_assert(sizeof bytes >= ByteStream::kRecordBytes);
  const auto [outcome, got] = stream_->read(bytes, sizeof bytes);
  watch();
  if (outcome == Outcome::waits) return;
  if (outcome == Outcome::done) return take({bytes, got});
  if (state_ == State::free) return close();
  const bool ended = outcome == Outcome::ended;
  if (ended && reader_.finish() == ResponseReader::State::whole) return on_whole(false);
  lose(ended ? reader_.problem() : "the connection has broken: " + stream_->why(), may_have_been_read());
}

// Under TLS the socket takes more than the request: all that it has taken since has to be unread.
bool LaneConnection::may_have_been_read() const {
  const std::size_t sent = stream_->sent() - sent_before_;
  return sent > 0 && (reader_.begun() || !kit::ended_unread(descriptor_.get(), sent));
}

void LaneConnection::take(std::string_view bytes) {
  if (state_ == State::free) return close();  // nobody has asked for anything
  ResponseReader::State state;
  try {
    state = reader_.feed(bytes);
  } catch (const std::bad_alloc&) {
    return lose("there is no memory for its answer", true);
  }
  if (state == ResponseReader::State::broken) return lose(reader_.problem(), true);
  if (state == ResponseReader::State::head) return;
  if (sink_ && !std::exchange(head_told_, true)) sink_->on_head(reader_.head());
  if (state_ == State::closed) return;
  if (state == ResponseReader::State::whole) return on_whole(bytes.empty());
  if (sink_ && !reader_.body().empty()) sink_->on_body(reader_.body());
  if (!sink_ && state_ != State::closed) reader_.body().clear();
}

void LaneConnection::on_whole(bool nothing_more) {
  HttpSink* const sink = std::exchange(sink_, nullptr);
  std::string body = std::move(reader_.body());
  if (reader_.keeps_alive() && nothing_more && !unsent()) {
    state_ = State::free;
    if (sink) owner_.on_rest(*this);
  } else {
    close();
  }
  if (sink) sink->on_end({.whole = true, .sent = true, .message = {}}, body);
}

void LaneConnection::lose(std::string message, bool sent) {
  HttpSink* const sink = std::exchange(sink_, nullptr);
  std::string body = std::move(reader_.body());
  close();
  if (sink) sink->on_end({.whole = false, .sent = sent, .message = std::move(message)}, body);
}

void LaneConnection::detach() {
  sink_ = nullptr;
  if (state_ == State::busy) owner_.on_rest(*this);
}

void LaneConnection::close() {
  if (state_ == State::closed) return;
  sink_ = nullptr;
  release();
  owner_.on_closed(*this);
}

void LaneConnection::release() {
  state_ = State::closed;
  stop_timer();
  if (watch_) loops_.unwait(std::exchange(watch_, 0));
  if (stream_) stream_->close();
  stream_.reset();
  descriptor_.close();
}

void LaneConnection::stop_timer() {
  if (timer_) loops_.unwait(std::exchange(timer_, 0));
}

void LaneConnection::watch() {
  const std::uint32_t events = COLLET_LOOP_READABLE | (stream_->wants_room() ? COLLET_LOOP_WRITABLE : 0);
  if (events != std::exchange(watched_, events)) loops_.rewatch(watch_, events);
}

bool LaneConnection::stands() {
  char byte;
  return stream_->read(&byte, 1).outcome == Outcome::waits;
}

}  // namespace collet::client
