#include "worker/host/call_listener.h"

#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace collet::worker {
namespace {

// Of a later kernel than the header's: the asking thread goes on at once on the processor that answers it.
constexpr unsigned long kSetFlags = SECCOMP_IOW(4, std::uint64_t);
constexpr std::uint64_t kSynchronous = 1;

}  // namespace

CallListener::CallListener(Descriptor listener) : listener_(std::move(listener)) {
  ioctl(listener_.get(), kSetFlags, kSynchronous);
}

CallListener::Taken CallListener::read(seccomp_notif& asked) const {
  // Zeroed, and with room for what later kernels say.
  alignas(seccomp_notif) char room[512] = {};
  if (ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, room) != 0) {
    return errno == ENOENT || errno == EINTR ? Taken::none : Taken::broken;  // none: the thread is gone
  }
  std::memcpy(&asked, room, sizeof asked);
  return Taken::one;
}

void CallListener::answer(std::uint64_t id, int error, std::uint32_t flags) const {
  alignas(seccomp_notif_resp) char room[512] = {};
  seccomp_notif_resp answer{};
  answer.id = id;
  answer.error = -error;
  answer.flags = flags;
  std::memcpy(room, &answer, sizeof answer);
  ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, room);  // ENOENT: the thread is gone
}

bool CallListener::still_asked(std::uint64_t id) const {
  return ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

}  // namespace collet::worker
