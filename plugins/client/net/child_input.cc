#include "client/net/child_input.h"

#include <sys/socket.h>

namespace collet::client {

bool ChildInput::send(std::string lines) {
  {
    const std::lock_guard lock(mutex_);
    if (socket_ < 0 || waits_) return false;
    const ssize_t sent = ::send(socket_, lines.data(), lines.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0) return false;
    if (static_cast<std::size_t>(sent) == lines.size()) return true;
    lines.erase(0, static_cast<std::size_t>(sent));
    rest_ = std::move(lines);  // which takes no memory that there could be none of
    waits_ = true;
  }
  cut_();
  return true;
}

void ChildInput::close() {
  const std::lock_guard lock(mutex_);
  socket_ = -1;
}

}  // namespace collet::client
