#include "plugin/load/trial_parent.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/spawn_attributes.h"
#include "plugin/load/preflight.h"
#include "plugin/load/preflight_frame.h"

extern char** environ;

namespace collet::plugin {
namespace {

constexpr std::chrono::milliseconds kObeyMs{1'000};   // for a process of ours to do as it is told
constexpr std::chrono::milliseconds kEndMs{10'000};  // and to end: if it is killed before, what a trial has left stays

bool wait_readable(const Descriptor& descriptor, std::chrono::milliseconds at_most) {
  pollfd waiting{descriptor.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&waiting, 1, static_cast<int>(at_most.count()));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

// What start() has posix_spawn() do.
void become_parent(int orders) {
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0) _exit(1);  // what comes in there is for the host alone
  dup2(STDERR_FILENO, STDOUT_FILENO);
  if (orders != preflight::kParentDescriptor) dup2(orders, preflight::kParentDescriptor);
  close_range(preflight::kParentDescriptor + 1, ~0u, 0);
  for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

Result<std::unique_ptr<TrialParent>> TrialParent::start(const std::string& executable) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return error("cannot make a socket: {}", std::strerror(errno));
  }
  Descriptor ours(ends[0]);
  const Descriptor theirs(ends[1]);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), preflight::kParentDescriptor);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, preflight::kParentDescriptor + 1);
  const SpawnAttributes attributes;

  const std::string verb = kPreflightVerb;
  char* arguments[] = {const_cast<char*>(executable.c_str()), const_cast<char*>(verb.c_str()), nullptr};
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, executable.c_str(), &actions, attributes.get(), arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) return error("cannot run {} for trial loading: {}", executable, std::strerror(failed));
  return std::unique_ptr<TrialParent>(new TrialParent(pid, std::move(ours)));
}

std::unique_ptr<TrialParent> TrialParent::fork_here() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return nullptr;
  Descriptor ours(ends[0]);
  Descriptor theirs(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return nullptr;
  if (pid > 0) return std::unique_ptr<TrialParent>(new TrialParent(pid, std::move(ours)));
  ours = Descriptor();
  become_parent(theirs.release());
  _exit(preflight_main(0, nullptr));
}

TrialParent::TrialParent(pid_t pid, Descriptor socket)
    : pid_(pid), process_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))), socket_(std::move(socket)) {}

TrialParent::~TrialParent() {
  socket_ = Descriptor();  // that tells it to end, with its trial
  kill(pid_, SIGCONT);
  if (!process_ || !wait_readable(process_, kEndMs)) kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<Descriptor> TrialParent::begin(const Descriptor& request) {
  const auto failure = [](const char* what) {
    return error("cannot begin a trial loading: {}: {}", what, std::strerror(errno));
  };
  if (under_way_ && !wait(kObeyMs)) return failure("the one before has not ended");
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return failure("cannot make a pipe");
  Descriptor from(ends[0]);
  const Descriptor to(ends[1]);
  preflight::Message message;
  message.attach(request.get(), to.get());
  if (sendmsg(socket_.get(), message.header(), MSG_NOSIGNAL) < 0) return failure("the process for it is gone");
  under_way_ = true;
  return from;
}

std::optional<int> TrialParent::wait(std::chrono::milliseconds at_most) {
  int status = 0;
  if (!wait_readable(socket_, at_most)) return std::nullopt;
  if (recv(socket_.get(), &status, sizeof status, 0) != sizeof status) return std::nullopt;
  under_way_ = false;
  return status;
}

}  // namespace collet::plugin
