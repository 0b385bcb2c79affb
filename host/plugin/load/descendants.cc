#include "plugin/load/descendants.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <sstream>
#include <string>

#include "base/descriptor.h"

namespace collet::plugin {
namespace {

// Numbers with blanks behind them; proc(5).
std::string list_children() {
  const Descriptor file(open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC));
  std::string list;
  char part[4096];
  ssize_t size = 0;
  while ((size = read(file.get(), part, sizeof part)) > 0) list.append(part, static_cast<std::size_t>(size));
  return list;
}

// Numbers that are those of another namespace name nobody's children.
bool is_child(pid_t process) {
  siginfo_t ignored;
  return waitid(P_PID, static_cast<id_t>(process), &ignored, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// How many of them could be killed: one that has become another user's may not be ours to kill.
unsigned kill_children() {
  std::istringstream list(list_children());
  unsigned killed = 0;
  for (pid_t child; list >> child;) killed += is_child(child) && kill(child, SIGKILL) == 0;
  return killed;
}

}  // namespace

void adopt_orphans() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

bool reap_all_but(pid_t child) {
  siginfo_t ended{};
  bool found = false;
  while (!found && waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0) {
    found = ended.si_pid == child;
    if (!found) waitpid(ended.si_pid, nullptr, WNOHANG);
    ended = {};
  }
  return found;
}

// Each that ends leaves its children to this process. One that is being traced cannot be waited for before its tracer has
// ended, which is another one of them.
int end_descendants(pid_t child) {
  constexpr timespec kPause{0, 2'000'000};
  int outcome = SIGKILL;
  if (child > 0) kill(-child, SIGKILL);
  while (kill_children() > 0) {
    int status = 0;
    for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
      if (ended == child) outcome = status;
    }
    if (!list_children().empty()) nanosleep(&kPause, nullptr);
  }
  int status = 0;  // where there is no /proc
  if (child > 0 && waitpid(child, &status, WNOHANG) == child) outcome = status;
  return outcome;
}

void end_as(int status) {
  if (!WIFSIGNALED(status)) _exit(WEXITSTATUS(status));
  const int number = WTERMSIG(status);
  prctl(PR_SET_DUMPABLE, 0);  // no core of this process, which has done nothing
  std::signal(number, SIG_DFL);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, number);
  sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  raise(number);
  _exit(EXIT_FAILURE);
}

}  // namespace collet::plugin
