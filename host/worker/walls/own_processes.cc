#include "worker/walls/own_processes.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/descriptor.h"
#include "base/log.h"
#include "plugin/load/descendants.h"

namespace collet::worker {
namespace {

// Descriptors of the worker would keep its host from seeing that it has closed them.
void close_all_but(int kept) {
  if (kept > 0) close_range(0, static_cast<unsigned>(kept) - 1, 0);
  close_range(static_cast<unsigned>(kept) + 1, ~0u, 0);
}

int wait_for(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// The first process of a namespace: the kernel ends all others with it, and gives it those that have lost their parent.
// Its own signals do not end it, which is why the worker is another one.
[[noreturn]] void be_first(int watched) {
  std::signal(SIGCHLD, SIG_IGN);  // nobody waits for them
  prctl(PR_SET_NAME, "collet-first");
  prctl(PR_SET_DUMPABLE, 0);
  close_all_but(watched);
  char none;
  while (read(watched, &none, 1) < 0 && errno == EINTR) {
  }
  _exit(0);
}

[[noreturn]] void give_up() {
  log::error("a worker cannot start a process: {}", std::strerror(errno));
  _exit(EXIT_FAILURE);
}

}  // namespace

void live_alone() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) give_up();
  Descriptor watched(ends[0]);
  Descriptor held(ends[1]);  // by this process alone: it closes when that has ended, however it does
  const pid_t first = fork();
  if (first < 0) give_up();
  if (first == 0) {
    held = Descriptor();
    be_first(watched.get());
  }
  const pid_t worker = fork();
  if (worker < 0) give_up();
  if (worker == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return;
  }
  close_all_but(held.get());
  const int status = wait_for(worker);
  kill(first, SIGKILL);
  wait_for(first);
  plugin::end_as(status);
}

}  // namespace collet::worker
