#include "worker/host/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/spawn_attributes.h"

namespace collet::worker {
namespace {

// Another number for the same, which is none of those that the child is given.
Descriptor moved_away(int fd) {
  return Descriptor(fcntl(fd, F_DUPFD_CLOEXEC, kArenaDescriptor + 1));
}

std::vector<pid_t> children_of(pid_t process) {
  std::vector<pid_t> all;
  std::error_code none;
  const std::string threads = fmt::format("/proc/{}/task", process);
  for (std::filesystem::directory_iterator at(threads, none), end; !none && at != end; at.increment(none)) {
    std::ifstream children(at->path() / "children");
    for (pid_t child; children >> child;) all.push_back(child);
  }
  return all;
}

}  // namespace

std::vector<pid_t> with_descendants(pid_t process) {
  std::vector<pid_t> all{process};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::vector<pid_t> children = children_of(all[i]);
    all.insert(all.end(), children.begin(), children.end());
  }
  return all;
}

Result<std::unique_ptr<WorkerProcess>> Process::spawn(const std::string& executable, const Descriptor& given_socket,
                                                      int given_arena, const std::vector<std::string>& environment) {
  const Descriptor socket = moved_away(given_socket.get());
  const Descriptor arena = moved_away(given_arena);
  int ends[2];
  if (!socket || !arena || pipe2(ends, O_CLOEXEC) != 0) {
    return error("cannot start a worker process: {}", std::strerror(errno));
  }
  Descriptor output(ends[0]);
  const Descriptor words(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, words.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, words.get(), STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, socket.get(), kSocketDescriptor);
  posix_spawn_file_actions_adddup2(&actions, arena.get(), kArenaDescriptor);
  posix_spawn_file_actions_addclosefrom_np(&actions, kArenaDescriptor + 1);
  const SpawnAttributes attributes(POSIX_SPAWN_SETSID);

  std::vector<char*> variables;
  for (const std::string& variable : environment) variables.push_back(const_cast<char*>(variable.c_str()));
  variables.push_back(nullptr);
  char* arguments[] = {const_cast<char*>("collet"), const_cast<char*>(kWorkerVerb), nullptr};
  std::unique_ptr<Process> process(new Process);
  const int failed =
      posix_spawn(&process->pid_, executable.c_str(), &actions, attributes.get(), arguments, variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed) {
    process->pid_ = 0;
    return error("cannot run {} as a worker process: {}", executable, std::strerror(failed));
  }
  process->ended_ = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, process->pid_, 0)));
  if (!process->ended_) return error("cannot watch a worker process: {}", std::strerror(errno));
  process->output_ = std::move(output);
  return std::unique_ptr<WorkerProcess>(std::move(process));
}

Process::~Process() {
  if (pid_ == 0) return;
  kill();
  reap();
}

pid_t Process::pid_of_library() const {
  const std::vector<pid_t> children = children_of(pid_);
  return children.empty() ? pid_ : children.back();
}

void Process::kill() const {
  if (pid_ <= 0) return;
  // Who waits for the worker is to see it end, and then ends itself: nobody else would, if the host is a container's first.
  const std::vector<pid_t> children = children_of(pid_);
  for (const pid_t child : children) ::kill(child, SIGKILL);
  if (children.empty()) ::kill(-pid_, SIGKILL);
}

std::string Process::reap() {
  int status = 0;
  rusage used{};
  while (wait4(pid_, &status, 0, &used) < 0 && errno == EINTR) {
  }
  cpu_seconds_ = used.ru_utime.tv_sec + used.ru_stime.tv_sec;
  signal_ = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  ::kill(-pid_, SIGKILL);  // what it has left behind
  pid_ = 0;
  if (signal_ == 0) return fmt::format("ended with exit code {}", WEXITSTATUS(status));
  if (signal_ == SIGKILL) return "was killed (SIGKILL: by somebody else, or for want of memory)";
  return fmt::format("crashed with SIG{} ({})", sigabbrev_np(signal_), sigdescr_np(signal_));
}

// What does not end of the kernel's first word ends of its second one.
bool Process::ended_for_cpu(std::uint64_t seconds_max) const {
  if (seconds_max == 0) return false;
  return signal_ == SIGXCPU || (signal_ == SIGKILL && static_cast<std::uint64_t>(cpu_seconds_) >= seconds_max);
}

}  // namespace collet::worker
