#include "worker/host/running_worker.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "worker/walls/missing.h"

namespace collet::worker {
namespace {

std::vector<std::string> variables(const Permissions& may) {
  std::vector<std::string> all;
  for (const std::string& name : may.environment) {
    if (const char* value = std::getenv(name.c_str())) all.push_back(name + '=' + value);
  }
  if (!may.hosts.empty())
    all.emplace_back("RES_OPTIONS=use-vc");  // names are asked for over TCP, the one way there is
  return all;
}

// Returns what cannot be enforced, or empty: the process runs in `group` from now on.
std::string join_group(ControlGroups& groups, const Permissions& may, pid_t process, ControlGroup& group) {
  auto made = groups.make(may);
  const Result<void> added = made ? made->add(process) : Result<void>(made.failure());
  if (!added) return fmt::format("a control group ({})", added.message());
  group = std::move(*made);
  return {};
}

}  // namespace

Result<std::unique_ptr<RunningWorker>> RunningWorker::start(const plugin::WorkerOrder& order, const WorkerOptions& options,
                                                            ProcessStarter& processes, int arena, Denied denied) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return error("cannot make a socket for a worker process: {}", std::strerror(errno));
  }
  Descriptor ours(ends[0]);
  const Descriptor theirs(ends[1]);
  auto process = processes.start(theirs, arena, variables(order.permissions));
  if (!process) return process.failure();
  std::unique_ptr<RunningWorker> running(
      new RunningWorker(order, options, std::move(denied), std::move(*process), std::move(ours)));
  Missing missing;
  missing.add(options.unenforced);
  if (options.groups) missing.add(join_group(*options.groups, order.permissions, running->pid(), running->group_));
  running->unenforced_ = missing.words();
  running->log_ = std::make_unique<WorkerLog>(order.name, running->process_->take_output());
  return running;
}

bool RunningWorker::read(bool& more) {
  for (;;) {
    std::size_t room;
    char* at = input_.room(room);
    const bool first = !guard_ && !open_;
    const ssize_t size = first ? read_first(at, room) : recv(socket_.get(), at, room, MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size > 0) {
      input_.filled(static_cast<std::size_t>(size));
      more = static_cast<std::size_t>(size) == room || ended_;
      return true;
    }
    // At its end the process ends too; if it does not it is of no use any more.
    if (size == 0 && !ended_) {
      pollfd end{ended(), POLLIN, 0};
      ended_ = poll(&end, 1, static_cast<int>(options_.exit_ms)) > 0;
      if (!ended_) condemn("it closed its connection and went on");
    }
    return false;
  }
}

// As recv(). Takes the descriptor that comes before any code of the plugin can run; later ones are the kernel's to
// close.
ssize_t RunningWorker::read_first(char* to, std::size_t room) {
  iovec bytes{to, room};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  const ssize_t size = recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  const cmsghdr* rights = size > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (!rights || rights->cmsg_type != SCM_RIGHTS || rights->cmsg_len != CMSG_LEN(sizeof(int))) return size;
  int listener;
  std::memcpy(&listener, CMSG_DATA(rights), sizeof listener);
  guard_ = std::make_unique<Guard>(
      Descriptor(listener),
      GuardOrder{.name = order_.name, .view = order_.file.view(), .permissions = order_.permissions, .denied = denied_});
  return size;
}

void RunningWorker::condemn(std::string_view reason) {
  cause_ = "its worker process was killed: ";
  cause_ += reason;
}

std::string RunningWorker::end() {
  if (!ended_) process_->kill();
  std::string end = process_->reap();
  log_.reset();
  const std::uint64_t most = order_.permissions.cpu_seconds_max;
  if (process_->ended_for_cpu(most)) {
    end += fmt::format(", as it had used the {0} s of plugin.{1}.permissions.cpu_seconds_max = {0}", most, order_.name);
  }
  if (group_ && group_.has_run_out()) {
    end += fmt::format(", as it had used the {} bytes of plugin.{}.permissions.memory_bytes_max",
                       order_.permissions.memory_bytes_max, order_.name);
  }
  guard_.reset();
  return cause_.empty() ? "its worker process " + end : cause_;
}

}  // namespace collet::worker
