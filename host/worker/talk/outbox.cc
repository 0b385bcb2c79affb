#include "worker/talk/outbox.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/limits.h"

namespace collet::worker {
namespace {

constexpr std::size_t kPiecesMax = 16;  // sent by one call

}  // namespace

void Outbox::hold() {
  const std::lock_guard lock(mutex_);
  flush_comes_ = true;
}

void Outbox::resume() { flush(); }

void Outbox::flush() {
  const std::lock_guard lock(mutex_);
  flush_comes_ = false;
  send_all();
}

void Outbox::take_frames() {
  bytes_.append(frames_);
  frames_.clear();
  if (frames_.capacity() > limits::kWorkerReadBytes) std::string().swap(frames_);
}

void Outbox::send_all() {
  std::array<std::string_view, kPiecesMax> pieces;
  std::array<iovec, kPiecesMax> vector;
  while (!bytes_.empty()) {
    msghdr message{};
    message.msg_iov = vector.data();
    message.msg_iovlen = bytes_.front(pieces);
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
      vector[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
    }
    const ssize_t sent = sendmsg(socket_, &message, MSG_NOSIGNAL);
    if (sent > 0) {
      bytes_.drop(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      pollfd writable{socket_, POLLOUT, 0};
      poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      _exit(0);  // nobody listens any more
    }
  }
}

}  // namespace collet::worker
