#include "worker/outbox.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/limits.h"

namespace collet::worker {

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

void Outbox::send_all() {
  for (std::size_t at = 0; at < bytes_.size();) {
    const ssize_t sent = send(socket_, bytes_.data() + at, bytes_.size() - at, MSG_NOSIGNAL);
    if (sent > 0) {
      at += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN) {
      pollfd writable{socket_, POLLOUT, 0};
      poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      _exit(0);  // nobody listens any more
    }
  }
  bytes_.clear();
  if (bytes_.capacity() > limits::kWorkerReadBytes) std::string().swap(bytes_);
}

}  // namespace collet::worker
