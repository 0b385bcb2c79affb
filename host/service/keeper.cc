#include "service/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "plugin/load/descendants.h"

namespace collet::service {
namespace {

constexpr int kHost = 3;  // descriptors
constexpr int kVariables = 4;
constexpr int kCannotRun = 127;

void answer(KeeperAnswer said) { send(kHost, &said, sizeof said, MSG_NOSIGNAL); }

[[noreturn]] void fail(int error) {
  answer({error, 0});
  _exit(kCannotRun);
}

std::string read_variables() {
  const Descriptor file(kVariables);
  struct stat about;
  if (fstat(kVariables, &about) != 0) fail(errno);
  std::string variables(static_cast<std::size_t>(about.st_size), '\0');
  for (std::size_t come = 0; come < variables.size();) {
    const ssize_t size = pread(kVariables, &variables[come], variables.size() - come, static_cast<off_t>(come));
    if (size <= 0) fail(size < 0 ? errno : EIO);
    come += static_cast<std::size_t>(size);
  }
  return variables;
}

std::vector<char*> pointers_into(std::string& variables) {
  std::vector<char*> out;
  for (std::size_t at = 0; at < variables.size(); at = variables.find('\0', at) + 1) out.push_back(&variables[at]);
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void run(char** command, char** variables, pid_t keeper, int failure) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != keeper) _exit(kCannotRun);
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  environ = variables;
  execvp(command[0], command);
  const int reason = errno;
  static_cast<void>(!write(failure, &reason, sizeof reason));
  _exit(kCannotRun);
}

pid_t start(char** command) {
  std::string environment = read_variables();
  std::vector<char*> variables = pointers_into(environment);
  int ends[2];
  if (!command[0]) fail(EINVAL);
  if (pipe2(ends, O_CLOEXEC) != 0) fail(errno);
  const pid_t keeper = getpid();
  const pid_t child = fork();
  if (child < 0) fail(errno);
  if (child == 0) run(command, variables.data(), keeper, ends[1]);
  close(ends[1]);
  int reason = 0;
  if (read(ends[0], &reason, sizeof reason) == sizeof reason) fail(reason);
  close(ends[0]);
  answer({0, child});
  return child;
}

}  // namespace

void keeper_main(char** command) {
  const pid_t host = getppid();
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  prctl(PR_SET_NAME, "collet-keeper");
  plugin::adopt_orphans();
  fcntl(kHost, F_SETFD, FD_CLOEXEC);
  const pid_t child = start(command);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) close(stream);  // that they end is to be seen
  sigset_t wake;
  sigemptyset(&wake);
  for (const int number : {SIGCHLD, SIGCONT}) sigaddset(&wake, number);
  const Descriptor signals(signalfd(-1, &wake, SFD_CLOEXEC | SFD_NONBLOCK));
  while (!plugin::reap_all_but(child) && getppid() == host) {
    pollfd waiting[] = {{kHost, POLLIN, 0}, {signals.get(), POLLIN, 0}};
    poll(waiting, 2, -1);
    signalfd_siginfo told;
    while (read(signals.get(), &told, sizeof told) > 0) {
    }
    if (!waiting[0].revents) continue;
    char order;
    if (recv(kHost, &order, 1, MSG_DONTWAIT) != 1) break;
    kill(-child, SIGTERM);
  }
  const int status = plugin::end_descendants(child);
  send(kHost, "", 1, MSG_NOSIGNAL);
  plugin::end_as(status);
}

}  // namespace collet::service
