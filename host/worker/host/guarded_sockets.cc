#include "worker/host/guarded_sockets.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/address.h"
#include "base/limits.h"
#include "base/text.h"

namespace collet::worker {
namespace {

using text::in_quotes;

// Returns the address's size.
std::size_t lead_to(const Descriptor& file, sockaddr_storage& address) {
  sockaddr_un named{};
  named.sun_family = AF_UNIX;
  fmt::format("/proc/self/fd/{}", file.get()).copy(named.sun_path, sizeof named.sun_path - 1);
  std::memcpy(&address, &named, sizeof named);
  return sizeof named;
}

// How long a connect() of it waits (socket(7)).
std::chrono::steady_clock::time_point patience_of(const Descriptor& socket) {
  timeval time{};
  socklen_t size = sizeof time;
  getsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &time, &size);
  if (time.tv_sec == 0 && time.tv_usec == 0) return std::chrono::steady_clock::time_point::max();
  constexpr long kMost = 1'000'000'000;
  return std::chrono::steady_clock::now() + std::chrono::seconds(std::min<long>(time.tv_sec, kMost)) +
         std::chrono::microseconds(time.tv_usec);
}

}  // namespace

GuardedSockets::GuardedSockets(const CallListener& listener, const GuardOrder& order)
    : listener_(listener), order_(order), reach_(order.permissions.hosts) {
  for (const std::string& socket : order_.permissions.unix_sockets) {
    std::error_code none;
    sockets_.emplace(socket, std::filesystem::weakly_canonical(socket, none));
  }
}

// Only what connect() below can see through: with datagrams each one could go elsewhere.
void GuardedSockets::socket(std::uint64_t id, const AskedCall& call) {
  const auto family = static_cast<int>(call.arguments[0]);
  const int type = static_cast<int>(call.arguments[1]) & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
  const auto protocol = static_cast<int>(call.arguments[2]);
  if (family == AF_UNIX && type == SOCK_STREAM && !order_.permissions.unix_sockets.empty()) {
    return listener_.let_go_on(id);
  }
  if (order_.permissions.hosts.empty()) {
    order_.tell(fmt::format("opening a socket was denied: add the host and its port to {}.network", section_));
    return listener_.answer(id, EPERM);
  }
  const bool tcp = (family == AF_INET || family == AF_INET6) && type == SOCK_STREAM &&
                   (protocol == 0 || protocol == IPPROTO_TCP);
  if (tcp) return listener_.let_go_on(id);
  listener_.answer(id, EPERM);  // name resolution tries some of these, and does without
}

// The file of what is granted, whatever the worker may have put in the place of the address since, or a link in that of
// the file. None, and that is told, if it is not granted.
Descriptor GuardedSockets::granted_socket(const sockaddr_storage& address) const {
  sockaddr_un named;
  std::memcpy(&named, &address, sizeof named);
  const std::string path(named.sun_path, strnlen(named.sun_path, sizeof named.sun_path));
  const auto granted = sockets_.find(path);
  errno = EACCES;
  if (granted == sockets_.end()) {
    order_.tell(path.empty()
                    ? "connecting to a socket without a file was denied"
                    : fmt::format("connecting to {0} was denied: add {0} to {1}.unix", in_quotes(path), section_));
    errno = EACCES;
    return Descriptor();
  }
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  return Descriptor(static_cast<int>(syscall(SYS_openat2, AT_FDCWD, granted->second.c_str(), &how, sizeof how)));
}

void GuardedSockets::connect(std::uint64_t id, const AskedCall& call) {
  sockaddr_storage address{};
  auto size = static_cast<std::size_t>(call.arguments[2]);
  if (size > sizeof address || !call.read(call.arguments[1], &address, size)) return listener_.answer(id, EINVAL);
  Descriptor file;
  if (address.ss_family == AF_UNIX) {
    file = granted_socket(address);
    if (!file) return listener_.answer(id, errno);
    size = lead_to(file, address);
  } else if (!order_.permissions.network && !reach_.contains(address)) {
    const auto words = in_words(address);
    if (!words) return listener_.answer(id, EPERM);
    order_.tell(fmt::format("connecting to {0} was denied: add \"{0}\", or its name, to {1}.network", *words, section_));
    return listener_.answer(id, EACCES);
  }
  Descriptor socket = call.descriptor(call.arguments[0]);
  if (!listener_.still_asked(id)) return;
  if (!socket) return listener_.answer(id, EBADF);
  const int flags = fcntl(socket.get(), F_GETFL);
  const bool waits = !(flags & O_NONBLOCK);
  if (waits && connecting_.size() >= limits::kWorkerConnectingMax) return listener_.answer(id, EAGAIN);
  if (waits) fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK);  // the guard has others to answer
  const bool done =
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)) == 0;
  const int error = done ? 0 : errno;
  if (waits && (error == EINPROGRESS || (file && error == EAGAIN))) {
    const auto until = patience_of(socket);
    return connecting_.push_back({id, std::move(socket), flags, std::move(file), until});
  }
  if (waits) fcntl(socket.get(), F_SETFL, flags);
  listener_.answer(id, error);
}

bool GuardedSockets::add_waiting(std::vector<pollfd>& waiting) const {
  bool again = false;
  for (const Connecting& each : connecting_) {
    waiting.push_back({each.is_full() ? -1 : each.socket.get(), POLLOUT, 0});
    again |= each.is_full();
  }
  return again;
}

void GuardedSockets::go_on(std::span<const pollfd> waited) {
  for (std::size_t i = waited.size(); i > 0; --i) {
    if (connecting_[i - 1].is_full()) {
      connect_again(i - 1);
    } else if (waited[i - 1].revents) {
      finish(i - 1);
    }
  }
}

void GuardedSockets::connect_again(std::size_t index) {
  const Connecting& full = connecting_[index];
  sockaddr_storage address{};
  const auto size = static_cast<socklen_t>(lead_to(full.file, address));
  const bool done = !listener_.still_asked(full.id) ||
                    ::connect(full.socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0;
  const int error = done ? 0 : errno;
  if (error != EAGAIN || std::chrono::steady_clock::now() >= full.until) finish(index, error);
}

void GuardedSockets::finish(std::size_t index) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(connecting_[index].socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  finish(index, error);
}

void GuardedSockets::finish(std::size_t index, int error) {
  const Connecting done = std::move(connecting_[index]);
  connecting_.erase(connecting_.begin() + static_cast<std::ptrdiff_t>(index));
  fcntl(done.socket.get(), F_SETFL, done.flags);
  listener_.answer(done.id, error);
}

}  // namespace collet::worker
