// As main.cc, but a process that dies of SIGKILL at a boundary between frames, which the file says that the
// variable COLLET_TEST_DEATH names: "sent 3" once it has sent three of them, "heard 2" once it has read two. It
// says "died" there then; the next process finds no such order, and lives.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "worker/child/child.h"
#include "worker/host/process.h"
#include "worker/talk/frame.h"

using namespace collet::worker;

namespace {

int order = -1;  // the file

// One direction of the socket.
class Stream {
 public:
  void die_after(std::size_t frames) { left_ = frames; }
  void die_if_due() const {
    if (left_ > 0) return;
    static_cast<void>(!pwrite(order, "died", 4, 0));
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  // To the next boundary, of a head or of a body.
  std::size_t at_most(std::size_t size) const {
    return std::min(size, (in_head() ? 0 : head_.size) + sizeof head_ - seen_);
  }
  void pass(const void* bytes, std::size_t size) {
    if (in_head()) std::memcpy(reinterpret_cast<char*>(&head_) + seen_, bytes, size);
    seen_ += size;
    if (in_head() || seen_ < sizeof head_ + head_.size) return;
    seen_ = 0;
    --left_;
    die_if_due();
  }

 private:
  bool in_head() const { return seen_ < sizeof head_; }

  FrameHead head_;
  std::size_t seen_ = 0;  // of a frame
  std::size_t left_ = SIZE_MAX;
};

Stream sent;
Stream heard;

}  // namespace

// In the place of the C library's.
extern "C" ssize_t send(int socket, const void* bytes, std::size_t size, int flags) {
  if (socket != kSocketDescriptor) return sendto(socket, bytes, size, flags, nullptr, 0);
  sent.die_if_due();
  const ssize_t taken = sendto(socket, bytes, sent.at_most(size), flags, nullptr, 0);
  if (taken > 0) sent.pass(bytes, static_cast<std::size_t>(taken));
  return taken;
}

extern "C" ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  if (socket != kSocketDescriptor) return syscall(SYS_sendmsg, socket, message, flags);
  sent.die_if_due();
  // Its caller sends again what is not taken, but for a head with a descriptor.
  iovec first = message->msg_iov[0];
  first.iov_len = sent.at_most(first.iov_len);
  msghdr to_boundary = *message;
  to_boundary.msg_iov = &first;
  to_boundary.msg_iovlen = 1;
  const ssize_t taken = syscall(SYS_sendmsg, socket, &to_boundary, flags);
  if (taken > 0) sent.pass(first.iov_base, static_cast<std::size_t>(taken));
  return taken;
}

extern "C" ssize_t recv(int socket, void* bytes, std::size_t size, int flags) {
  if (socket != kSocketDescriptor) return recvfrom(socket, bytes, size, flags, nullptr, nullptr);
  heard.die_if_due();
  const ssize_t taken = recvfrom(socket, bytes, heard.at_most(size), flags, nullptr, nullptr);
  if (taken > 0) heard.pass(bytes, static_cast<std::size_t>(taken));
  return taken;
}

int main() {
  if (const char* path = std::getenv("COLLET_TEST_DEATH")) order = open(path, O_RDWR | O_CLOEXEC);
  char text[32] = {};
  const std::string_view words(
      text, static_cast<std::size_t>(std::max<ssize_t>(pread(order, text, sizeof text - 1, 0), 0)));
  const std::size_t space = words.find(' ');
  if (space != std::string_view::npos && ftruncate(order, 0) == 0) {
    (words.starts_with("sent") ? sent : heard).die_after(std::strtoul(text + space, nullptr, 10));
  }
  worker_main();
}
