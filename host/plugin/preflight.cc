#include "plugin/preflight.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>

#include "plugin/descriptor.h"
#include "plugin/preflight_frame.h"

extern char** environ;

namespace collet::plugin {
namespace {

using Clock = std::chrono::steady_clock;

// What the child is to do, as its standard input.
Result<Descriptor> make_request(const std::vector<PreflightFile>& files, std::size_t first) {
  std::string request;
  for (std::size_t i = first; i < files.size(); ++i) {
    preflight::append_frame(request, files[i].path);
    preflight::append_frame(request, files[i].config);
  }
  Descriptor memory(memfd_create("collet-preflight", MFD_CLOEXEC));
  if (!memory || pwrite(memory.get(), request.data(), request.size(), 0) != static_cast<ssize_t>(request.size())) {
    return error("cannot prepare a process for trial loading: {}", std::strerror(errno));
  }
  return memory;
}

// A child on its way through the files.
class Child {
 public:
  static Result<Child> spawn(const std::string& executable, const Descriptor& request) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return error("cannot make a pipe: {}", std::strerror(errno));
    Descriptor from(ends[0]);
    const Descriptor to(ends[1]);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, request.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, to.get(), preflight::kReportDescriptor);
    posix_spawn_file_actions_addclosefrom_np(&actions, preflight::kReportDescriptor + 1);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    const std::string verb = kPreflightVerb;
    char* arguments[] = {const_cast<char*>(executable.c_str()), const_cast<char*>(verb.c_str()), nullptr};
    pid_t pid = 0;
    const int failed = posix_spawn(&pid, executable.c_str(), &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failed) return error("cannot run {} for trial loading: {}", executable, std::strerror(failed));
    return Child(pid, std::move(from));
  }

  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)),
        from_(std::move(other.from_)),
        ended_(std::move(other.ended_)),
        read_(std::move(other.read_)) {}
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    wait();
  }

  // The next file's report: empty if it is good. Nothing if none comes any more.
  std::optional<std::string> next_report(Clock::time_point deadline) {
    for (;;) {
      std::string_view rest = read_;
      if (const auto frame = preflight::take_frame(rest)) {
        std::string report(*frame);
        read_.erase(0, read_.size() - rest.size());
        return report;
      }
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
      // The end of the pipe is not the end of the child, nor the other way round: a library may close descriptors
      // and hang, or leave a process behind that keeps the pipe open.
      pollfd waiting[] = {{from_.get(), POLLIN, 0}, {ended_.get(), POLLIN, 0}};
      const int ready = left > 0 ? poll(waiting, 2, static_cast<int>(left)) : 0;
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) timed_out_ = true;
      if (ready <= 0 || waiting[0].revents == 0) return std::nullopt;
      read_some();
    }
  }

  // Why no report comes any more. Ends the child.
  std::string cause(std::uint64_t timeout_ms) {
    if (timed_out_) return fmt::format("did not finish within {} ms", timeout_ms);
    const int status = wait();
    if (WIFSIGNALED(status)) {
      const int number = WTERMSIG(status);
      return fmt::format("crashed with SIG{} ({})", sigabbrev_np(number), sigdescr_np(number));
    }
    if (WEXITSTATUS(status) == preflight::kReportFailed) return "closed file descriptors that are not its own";
    return fmt::format("ended the process with exit code {}", WEXITSTATUS(status));
  }

 private:
  Child(pid_t pid, Descriptor from)
      : pid_(pid), from_(std::move(from)), ended_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}

  // Takes what the pipe holds; closes it at its end.
  void read_some() {
    char buffer[4096];
    const ssize_t count = read(from_.get(), buffer, sizeof buffer);
    if (count > 0) {
      read_.append(buffer, static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      from_ = Descriptor();
    }
  }

  int wait() {
    int status = 0;
    while (waitpid(std::exchange(pid_, 0), &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

  pid_t pid_;
  Descriptor from_;   // the pipe of reports
  Descriptor ended_;  // readable when the child has ended
  std::string read_;
  bool timed_out_ = false;
};

}  // namespace

std::vector<Result<void>> Preflight::run(const std::vector<PreflightFile>& files) const {
  std::vector<Result<void>> results;
  while (results.size() < files.size()) {
    auto request = make_request(files, results.size());
    auto child = request ? Child::spawn(executable_, *request) : Result<Child>(request.failure());
    if (!child) {
      results.resize(files.size(), child.failure());
      break;
    }
    while (results.size() < files.size()) {
      const auto report = child->next_report(Clock::now() + std::chrono::milliseconds(timeout_ms_));
      if (!report) {
        results.push_back(error("in trial loading it {}", child->cause(timeout_ms_)));
        break;
      }
      results.push_back(report->empty() ? Result<void>() : Result<void>(Error{*report}));
    }
  }
  return results;
}

}  // namespace collet::plugin
