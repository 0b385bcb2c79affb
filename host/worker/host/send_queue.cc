#include "worker/host/send_queue.h"

#include <sys/socket.h>

#include <new>

#include "base/limits.h"

namespace collet::worker {

void SendQueue::end() {
  socket_ = -1;
  unsent_.clear();
}

SendQueue::Sent SendQueue::send(std::string_view frames) {
  if (unsent_.size() + frames.size() > limits::kWorkerQueueBytesMax) return Sent::no_room;
  if (unsent_.empty()) {
    const ssize_t sent = ::send(socket_, frames.data(), frames.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) frames.remove_prefix(static_cast<std::size_t>(sent));
    if (frames.empty()) return Sent::yes;
  }
  try {
    unsent_.append(frames);
  } catch (const std::bad_alloc&) {
    return Sent::out_of_memory;
  }
  return Sent::yes;
}

void SendQueue::flush() {
  const std::string_view left = unsent_.front();
  const ssize_t sent = ::send(socket_, left.data(), left.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) unsent_.drop(static_cast<std::size_t>(sent));
}

}  // namespace collet::worker
