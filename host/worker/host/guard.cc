#include "worker/host/guard.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "plugin/run/thread.h"
#include "worker/host/asked_call.h"
#include "worker/host/call_listener.h"
#include "worker/host/guarded_files.h"
#include "worker/host/guarded_sockets.h"

namespace collet::worker {

class Guard::Watch {
 public:
  Watch(Descriptor listener, GuardOrder order, int stop)
      : listener_(std::move(listener)), order_(std::move(order)), stop_(stop) {}

  void run() {
    for (;;) {
      std::vector<pollfd> waiting{{stop_, POLLIN, 0}, {listener_.descriptor(), POLLIN, 0}};
      const bool again = sockets_.add_waiting(waiting);
      const int patience_ms = again ? static_cast<int>(limits::kWorkerConnectAgainMs) : -1;
      if (poll(waiting.data(), waiting.size(), patience_ms) < 0 && errno != EINTR) return;
      if (waiting[0].revents || (waiting[1].revents & (POLLHUP | POLLERR))) return;
      sockets_.go_on(std::span(waiting).subspan(2));
      const auto settle_one = [this](std::uint64_t id, const AskedCall& call) { settle(id, call); };
      if ((waiting[1].revents & POLLIN) && !listener_.take(settle_one)) return;
    }
  }

 private:
  void settle(std::uint64_t id, const AskedCall& call) {
    switch (call.number) {
      case SYS_socket:
        return sockets_.socket(id, call);
      case SYS_connect:
        return sockets_.connect(id, call);
      case SYS_execve:
      case SYS_execveat:
      case SYS_clone:
#if defined(__x86_64__)
      case SYS_fork:
      case SYS_vfork:
#endif
        return deny_program(id);
      case SYS_fchmod:
        return files_.change_mode_of_open(id, call);
      case SYS_fchmodat:
        return files_.change_mode_of_path(id, call, static_cast<mode_t>(call.arguments[2]));
#if defined(__x86_64__)
      case SYS_chmod:
        return files_.change_mode_of_path(id, call, static_cast<mode_t>(call.arguments[1]));
#endif
      case SYS_utimensat:
        return files_.change_times(id, call);
      default:
        return files_.use(id, call);
    }
  }

  void deny_program(std::uint64_t id) {
    order_.tell(fmt::format("running a program was denied: set {}.exec = true", order_.section()));
    listener_.answer(id, EPERM);
  }

  const CallListener listener_;
  const GuardOrder order_;
  const int stop_;
  GuardedFiles files_{listener_, order_};
  GuardedSockets sockets_{listener_, order_};
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
