#include "worker/host/guard.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <map>
#include <vector>

#include "base/address.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/text.h"
#include "plugin/run/thread.h"
#include "worker/child/reach.h"
#include "worker/host/asked_call.h"

namespace collet::worker {
namespace {


// Of a later kernel than the header's: the asking thread goes on at once on the processor that answers it.
constexpr unsigned long kSetFlags = SECCOMP_IOW(4, std::uint64_t);
constexpr std::uint64_t kSynchronous = 1;

using text::in_quotes;

std::vector<FileRule> resolved(std::vector<FileRule> rules) {
  std::erase_if(rules, [](FileRule& rule) {
    std::error_code none;
    rule.path = std::filesystem::canonical(rule.path, none);
    return rule.path.empty();
  });
  return rules;
}

}  // namespace

class Guard::Watch {
 public:
  Watch(Descriptor listener, GuardOrder order, int stop)
      : listener_(std::move(listener)),
        order_(std::move(order)),
        stop_(stop),
        rules_(resolved(file_rules(order_.permissions, order_.view))),
        reach_(order_.permissions.hosts) {
    ioctl(listener_.get(), kSetFlags, kSynchronous);
    for (const FileRule& rule : rules_) {
      struct stat status;
      if (rule.granted && rule.write && stat(rule.path.c_str(), &status) == 0) owners_.emplace(rule.path, status.st_uid);
    }
    for (const std::string& socket : order_.permissions.unix_sockets) {
      std::error_code none;
      sockets_.emplace(socket, std::filesystem::weakly_canonical(socket, none));
    }
  }

  void run() {
    for (;;) {
      std::vector<pollfd> waiting{{stop_, POLLIN, 0}, {listener_.get(), POLLIN, 0}};
      bool again = false;
      for (const Connecting& each : connecting_) {
        waiting.push_back({each.is_full() ? -1 : each.socket.get(), POLLOUT, 0});
        again |= each.is_full();
      }
      const int patience_ms = again ? static_cast<int>(limits::kWorkerConnectAgainMs) : -1;
      if (poll(waiting.data(), waiting.size(), patience_ms) < 0 && errno != EINTR) return;
      if (waiting[0].revents || (waiting[1].revents & (POLLHUP | POLLERR))) return;
      for (std::size_t i = waiting.size(); i > 2; --i) {
        if (connecting_[i - 3].is_full()) {
          connect_again(i - 3);
        } else if (waiting[i - 1].revents) {
          finish(i - 3);
        }
      }
      if ((waiting[1].revents & POLLIN) && !take()) return;
    }
  }

 private:
  // A call of connect() that waits, of a socket that does not.
  struct Connecting {
    std::uint64_t id = 0;
    Descriptor socket;
    int flags = 0;
    // Of a socket's file: as many wait there as may, and the kernel does not say when one fewer does.
    Descriptor file{};
    std::chrono::steady_clock::time_point until{};  // it is tried, as the socket's SO_SNDTIMEO says
    bool is_full() const { return static_cast<bool>(file); }
  };

  // False if the descriptor is no listener: some other one that a plugin has sent.
  bool take() {
    // Zeroed, and with room for what later kernels say.
    alignas(seccomp_notif) char room[512] = {};
    if (ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, room) != 0) {
      return errno == ENOENT || errno == EINTR;  // the thread is gone
    }
    seccomp_notif asked;
    std::memcpy(&asked, room, sizeof asked);
    const AskedCall call{static_cast<pid_t>(asked.pid), asked.data.nr,
                         reinterpret_cast<const unsigned long long*>(asked.data.args)};
    settle(asked.id, call);
    return true;
  }

  void settle(std::uint64_t id, const AskedCall& call) {
    switch (call.number) {
      case SYS_socket:
        return socket(id, call);
      case SYS_connect:
        return connect(id, call);
      case SYS_execve:
      case SYS_execveat:
      case SYS_clone:
#if defined(__x86_64__)
      case SYS_fork:
      case SYS_vfork:
#endif
        return deny(id, fmt::format("running a program was denied: set {}.exec = true", section_));
      case SYS_fchmod:
        return change_mode(id, call, fetch(call, call.arguments[0]), static_cast<mode_t>(call.arguments[1]));
      case SYS_fchmodat:
        return change_mode(id, call, file_of(id, call), static_cast<mode_t>(call.arguments[2]));
#if defined(__x86_64__)
      case SYS_chmod:
        return change_mode(id, call, file_of(id, call), static_cast<mode_t>(call.arguments[1]));
#endif
      case SYS_utimensat:
        return change_times(id, call);
      default:
        // What is not granted is not there for the worker; that it is denied is what its author has to know.
        if (!tell_of_files(id, call)) return answer(id, EACCES);
        return answer(id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
    }
  }

  void answer(std::uint64_t id, int error, std::uint32_t flags = 0) {
    alignas(seccomp_notif_resp) char room[512] = {};
    seccomp_notif_resp answer{};
    answer.id = id;
    answer.error = -error;
    answer.flags = flags;
    std::memcpy(room, &answer, sizeof answer);
    ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, room);  // ENOENT: the thread is gone
  }

  bool still_asked(std::uint64_t id) const {
    return ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
  }

  void tell(const std::string& what) { order_.denied(fmt::format("plugin {}: {}", order_.name, what)); }

  void deny(std::uint64_t id, const std::string& what) {
    tell(what);
    answer(id, EPERM);
  }

  // Whether the rules allow it.
  bool tell_of_files(std::uint64_t id, const AskedCall& call) {
    bool allowed = true;
    for (const PathUse& use : call.path_uses()) {
      if (use.path.empty() || !still_asked(id)) continue;  // what was read may be another's
      const std::string what = fmt::format("{}({})", use.name, in_quotes(use.path));
      if (!allows(rules_, use)) {
        allowed = false;
        const bool itself = use.exists && std::strcmp(use.name, "open") == 0;
        const std::size_t slash = use.path.find_last_of('/');
        const auto wanted = itself ? use.path : use.path.substr(0, std::max<std::size_t>(slash, 1));
        tell(fmt::format("{} for {} was denied: add {} to {}.{}", what, use.write ? "writing" : "reading",
                         in_quotes(wanted), section_, use.write ? "write" : "read"));
      } else if (is_full(call)) {
        tell(fmt::format("{} was denied: it has as many files open as {}.files_max = {} allows", what, section_,
                         order_.permissions.files_max));
      }
    }
    return allowed;
  }

  // A copy of a descriptor of the process that asks.
  static Descriptor fetch(const AskedCall& call, std::uint64_t number) {
    const Descriptor handle(static_cast<int>(syscall(SYS_pidfd_open, call.process(), 0)));
    return Descriptor(static_cast<int>(syscall(SYS_pidfd_getfd, handle.get(), number, 0)));
  }

  // What its path leads to.
  Descriptor file_of(std::uint64_t id, const AskedCall& call) {
    tell_of_files(id, call);
    return Descriptor(open(call.path_uses().front().path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  }

  // Without the bits by which a program gets its owner's rights.
  void change_mode(std::uint64_t id, const AskedCall& call, const Descriptor& file, mode_t mode) {
    change(id, call, file, [&](const char* way) { return chmod(way, mode & 0777); });
  }

  void change_times(std::uint64_t id, const AskedCall& call) {
    const Descriptor file = call.arguments[1] ? file_of(id, call) : fetch(call, call.arguments[0]);
    timespec times[2];
    const bool now = call.arguments[2] == 0;
    if (!now && !call.read(call.arguments[2], times, sizeof times)) return answer(id, EFAULT);
    change(id, call, file, [&](const char* way) { return utimensat(AT_FDCWD, way, now ? nullptr : times, 0); });
  }

  // Changes the file that the guard holds itself, so that nothing can be put in its place meanwhile, by a path that
  // leads to it: if it may be written, is its owner's who owns what is granted, since that is whose rights the worker has,
  // and the host may have more, and is no device, such as /dev/null, which is everybody's.
  template <class Change>
  void change(std::uint64_t id, const AskedCall& call, const Descriptor& file, Change&& change) {
    if (!still_asked(id)) return;
    if (!file) return answer(id, ENOENT);
    struct stat status;
    const bool is_plain =
        fstat(file.get(), &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
    const std::string way = fmt::format("/proc/self/fd/{}", file.get());
    std::error_code none;
    const std::string path = call.as_seen(std::filesystem::read_symlink(way, none).string());
    const bool allowed = is_plain && allows(rules_, {.name = "change", .path = path, .write = true});
    if (!allowed || !is_owned(call, path, status.st_uid)) return answer(id, EPERM);
    answer(id, change(way.c_str()) == 0 ? 0 : errno);
  }

  // A descriptor of the worker's shows its own user as the owner, a path of the host's the real one.
  bool is_owned(const AskedCall& call, const std::string& path, uid_t owner) const {
    struct stat worker;
    if (stat(fmt::format("/proc/{}", call.thread).c_str(), &worker) == 0 && worker.st_uid == owner) return true;
    const std::pair<const std::string, uid_t>* innermost = nullptr;
    for (const auto& grant : owners_) {
      if (is_beneath(path, grant.first) && (!innermost || grant.first.size() > innermost->first.size())) innermost = &grant;
    }
    return innermost && innermost->second == owner;
  }

  // Whether the process can open no more files. Kernels before 6.2 do not say.
  bool is_full(const AskedCall& call) const {
    struct stat open_files;
    return stat(fmt::format("/proc/{}/fd", call.thread).c_str(), &open_files) == 0 &&
           static_cast<std::uint64_t>(open_files.st_size) >= order_.permissions.files_max;
  }

  // Only what connect() below can see through: with datagrams each one could go elsewhere.
  void socket(std::uint64_t id, const AskedCall& call) {
    const auto family = static_cast<int>(call.arguments[0]);
    const int type = static_cast<int>(call.arguments[1]) & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
    const auto protocol = static_cast<int>(call.arguments[2]);
    if (family == AF_UNIX && type == SOCK_STREAM && !order_.permissions.unix_sockets.empty()) {
      return answer(id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
    }
    if (order_.permissions.hosts.empty()) {
      return deny(id,
                  fmt::format("opening a socket was denied: add the host and its port to {}.network", section_));
    }
    const bool tcp = (family == AF_INET || family == AF_INET6) && type == SOCK_STREAM &&
                     (protocol == 0 || protocol == IPPROTO_TCP);
    if (tcp) return answer(id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
    answer(id, EPERM);  // name resolution tries some of these, and does without
  }

  // The file of what is granted, whatever the worker may have put in the place of the address since, or a link in that of
  // the file. None, and that is told, if it is not granted.
  Descriptor granted_socket(const sockaddr_storage& address) {
    sockaddr_un named;
    std::memcpy(&named, &address, sizeof named);
    const std::string path(named.sun_path, strnlen(named.sun_path, sizeof named.sun_path));
    const auto granted = sockets_.find(path);
    errno = EACCES;
    if (granted == sockets_.end()) {
      tell(path.empty() ? "connecting to a socket without a file was denied"
                        : fmt::format("connecting to {0} was denied: add {0} to {1}.unix", in_quotes(path), section_));
      errno = EACCES;
      return Descriptor();
    }
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_NO_SYMLINKS;
    return Descriptor(static_cast<int>(syscall(SYS_openat2, AT_FDCWD, granted->second.c_str(), &how, sizeof how)));
  }

  static std::size_t lead_to(const Descriptor& file, sockaddr_storage& address) {
    sockaddr_un named{};
    named.sun_family = AF_UNIX;
    fmt::format("/proc/self/fd/{}", file.get()).copy(named.sun_path, sizeof named.sun_path - 1);
    std::memcpy(&address, &named, sizeof named);
    return sizeof named;
  }

  void connect(std::uint64_t id, const AskedCall& call) {
    sockaddr_storage address{};
    auto size = static_cast<std::size_t>(call.arguments[2]);
    if (size > sizeof address || !call.read(call.arguments[1], &address, size)) return answer(id, EINVAL);
    Descriptor file;
    if (address.ss_family == AF_UNIX) {
      file = granted_socket(address);
      if (!file) return answer(id, errno);
      size = lead_to(file, address);
    } else if (!order_.permissions.network && !reach_.contains(address)) {
      const auto words = in_words(address);
      if (!words) return answer(id, EPERM);
      tell(fmt::format("connecting to {0} was denied: add \"{0}\", or its name, to {1}.network", *words, section_));
      return answer(id, EACCES);
    }
    Descriptor socket = fetch(call, call.arguments[0]);
    if (!still_asked(id)) return;
    if (!socket) return answer(id, EBADF);
    const int flags = fcntl(socket.get(), F_GETFL);
    const bool waits = !(flags & O_NONBLOCK);
    if (waits && connecting_.size() >= limits::kWorkerConnectingMax) return answer(id, EAGAIN);
    if (waits) fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK);  // the guard has others to answer
    const bool done =
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)) == 0;
    const int error = done ? 0 : errno;
    if (waits && (error == EINPROGRESS || (file && error == EAGAIN))) {
      const auto until = patience_of(socket);
      return connecting_.push_back({id, std::move(socket), flags, std::move(file), until});
    }
    if (waits) fcntl(socket.get(), F_SETFL, flags);
    answer(id, error);
  }

  void connect_again(std::size_t index) {
    const Connecting& full = connecting_[index];
    sockaddr_storage address{};
    const auto size = static_cast<socklen_t>(lead_to(full.file, address));
    const bool done =
        !still_asked(full.id) || ::connect(full.socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0;
    const int error = done ? 0 : errno;
    if (error != EAGAIN || std::chrono::steady_clock::now() >= full.until) finish(index, error);
  }

  // How long a connect() of it waits (socket(7)).
  static std::chrono::steady_clock::time_point patience_of(const Descriptor& socket) {
    timeval time{};
    socklen_t size = sizeof time;
    getsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &time, &size);
    if (time.tv_sec == 0 && time.tv_usec == 0) return std::chrono::steady_clock::time_point::max();
    constexpr long kMost = 1'000'000'000;
    return std::chrono::steady_clock::now() + std::chrono::seconds(std::min<long>(time.tv_sec, kMost)) +
           std::chrono::microseconds(time.tv_usec);
  }

  void finish(std::size_t index) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connecting_[index].socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    finish(index, error);
  }

  void finish(std::size_t index, int error) {
    const Connecting done = std::move(connecting_[index]);
    connecting_.erase(connecting_.begin() + static_cast<std::ptrdiff_t>(index));
    fcntl(done.socket.get(), F_SETFL, done.flags);
    answer(done.id, error);
  }

  const Descriptor listener_;
  const GuardOrder order_;
  const std::string section_ = "plugin." + order_.name + ".permissions";
  const int stop_;
  const std::vector<FileRule> rules_;
  std::map<std::string, uid_t> owners_;         // of what may be written
  std::map<std::string, std::string> sockets_;  // that are granted: by their names, where these led at the start
  Reach reach_;
  std::vector<Connecting> connecting_;
};

Guard::Guard(Descriptor listener, GuardOrder order) : stop_(eventfd(0, EFD_CLOEXEC)) {
  const std::string name = order.name;
  watch_ = std::make_unique<Watch>(std::move(listener), std::move(order), stop_.get());
  thread_ = plugin::start_thread(name, [this] { watch_->run(); });
}

Guard::~Guard() {
  const std::uint64_t one = 1;
  static_cast<void>(!write(stop_.get(), &one, sizeof one));
  thread_.join();
}

}  // namespace collet::worker
