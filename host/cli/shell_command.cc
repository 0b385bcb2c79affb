#include "cli/shell_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;

namespace collet::cli {
namespace {

constexpr int kGraceMs = 2'000;

}  // namespace

Result<std::unique_ptr<ShellCommand>> ShellCommand::start(loop::Loop& loop, const std::string& command,
                                                          const std::string& folder, Callback<void()> ended) {
  const std::string line = "cd \"$0\" && { " + command + "\n}";
  const char* arguments[] = {"sh", "-c", line.c_str(), folder.c_str(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int failed =
      posix_spawn(&pid, "/bin/sh", &actions, &attributes, const_cast<char**>(arguments), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return error("cannot run a shell: {}", std::strerror(failed));
  Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  std::unique_ptr<ShellCommand> self(new ShellCommand(pid, std::move(process)));
  if (!self->process_) return error("cannot watch a shell: {}", std::strerror(errno));
  auto watch = loop::ReadWatch::open(loop, self->process_.get(),
                                     [&self = *self, ended = std::move(ended)]() mutable {
                                       if (self.ended_) return;
                                       self.reap();
                                       ended();
                                     });
  if (!watch) return watch.failure();
  self->watch_ = std::move(*watch);
  return self;
}

ShellCommand::~ShellCommand() {
  if (ended_) return;
  kill(-pid_, SIGTERM);
  pollfd end{process_.get(), POLLIN, 0};
  const bool has_ended = process_ && poll(&end, 1, kGraceMs) == 1;
  if (!has_ended) kill(-pid_, SIGKILL);
  reap();
}

void ShellCommand::reap() {
  while (waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
  }
  ended_ = true;
}

}  // namespace collet::cli
