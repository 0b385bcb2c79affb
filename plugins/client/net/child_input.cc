#include "client/net/child_input.h"

#include <sys/socket.h>

namespace collet::client {

bool ChildInput::send(std::string_view line) {
  {
    const std::lock_guard lock(mutex_);
    if (socket_ < 0 || waits_) return false;
    const ssize_t sent = ::send(socket_, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0) return false;
    if (static_cast<std::size_t>(sent) == line.size()) return true;
    rest_ = line.substr(static_cast<std::size_t>(sent));
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
