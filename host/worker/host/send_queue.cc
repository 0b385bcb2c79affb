#include "worker/host/send_queue.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <new>

#include "base/limits.h"

namespace collet::worker {
namespace {

constexpr std::size_t kFlushedPiecesMax = 16;

}  // namespace

void SendQueue::end() {
  socket_ = -1;
  unsent_.clear();
  waits_ = false;
}

SendQueue::Sent SendQueue::send(std::string_view frames) {
  if (unsent_.size() + frames.size() > limits::kWorkerQueueBytesMax) return Sent::no_room;
  if (unsent_.empty()) {
    const ssize_t sent = ::send(socket_, frames.data(), frames.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) frames.remove_prefix(static_cast<std::size_t>(sent));
    if (frames.empty()) return Sent::yes;
  }
  const Sent held = hold(frames);
  if (held == Sent::yes && !waits_) flush();
  return held;
}

SendQueue::Sent SendQueue::hold(std::string_view frames) {
  if (unsent_.size() + frames.size() > limits::kWorkerQueueBytesMax) return Sent::no_room;
  try {
    unsent_.append(frames);
  } catch (const std::bad_alloc&) {
    return Sent::out_of_memory;
  }
  return Sent::yes;
}

void SendQueue::flush() {
  if (unsent_.empty()) return;
  std::array<std::string_view, kFlushedPiecesMax> pieces;
  std::array<iovec, kFlushedPiecesMax> vector;
  msghdr message{};
  message.msg_iov = vector.data();
  message.msg_iovlen = unsent_.front(pieces);
  for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
    vector[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
  }
  const ssize_t sent = sendmsg(socket_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) unsent_.drop(static_cast<std::size_t>(sent));
  waits_ = !unsent_.empty();
}

}  // namespace collet::worker
