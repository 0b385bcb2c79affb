#include "worker/walls/control_group.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "plugin/run/thread.h"
#include "worker/walls/own_processes.h"

namespace collet::worker {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};  // the second beside cgroup v1
constexpr const char* kMarks[] = {"user.delegate", "trusted.delegate"};          // systemd's, of a delegated group

bool is_control_group(const std::string& path) {
  struct statfs info;
  return statfs(path.c_str(), &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

// Of this process, below the mount; "/" is the first one.
std::string own_group() {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.starts_with("0::")) return line.substr(3);
  }
  return {};
}

bool is_own_group(int folder) {
  struct stat wanted, own;
  return fstat(folder, &wanted) == 0 && std::any_of(std::begin(kMounts), std::end(kMounts), [&](const char* mount) {
           return stat((mount + own_group()).c_str(), &own) == 0 && own.st_dev == wanted.st_dev && own.st_ino == wanted.st_ino;
         });
}

// Returns 0 or an errno.
int write_text(int folder, const char* file, std::string_view text) {
  const Descriptor to(openat(folder, file, O_WRONLY | O_CLOEXEC));
  return to && ::write(to.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : errno;
}

std::string read_text(int fd) {
  std::string text(4'096, '\0');
  const ssize_t size = pread(fd, text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

std::string read_text(int folder, const char* file) {
  return read_text(Descriptor(openat(folder, file, O_RDONLY | O_CLOEXEC)).get());
}

bool has_word(const std::string& text, const std::string& word) {
  std::istringstream words(text);
  for (std::string each; words >> each;) {
    if (each == word) return true;
  }
  return false;
}

// The number that stands behind the name, of lines "name number".
std::uint64_t number_of(const std::string& lines, const std::string& name) {
  std::istringstream words(lines);
  std::string word;
  for (std::uint64_t number; words >> word >> number;) {
    if (word == name) return number;
  }
  return 0;
}

// cgroup.kill is there from Linux 5.14 on.
void kill_all(int folder) {
  if (write_text(folder, "cgroup.kill", "1") == 0) return;
  std::istringstream processes(read_text(folder, "cgroup.procs"));
  for (pid_t process; processes >> process;) ::kill(process, SIGKILL);
}

// Ends all that is in it and waits for that, but not without end.
void empty(int folder) {
  const Descriptor events(openat(folder, "cgroup.events", O_RDONLY | O_CLOEXEC));
  const auto until = plugin::Clock::now() + std::chrono::milliseconds(limits::kWorkerExitMs);
  while (number_of(read_text(events.get()), "populated") != 0) {
    kill_all(folder);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - plugin::Clock::now()).count();
    pollfd changed{events.get(), POLLPRI, 0};  // since it was read
    if (left <= 0 || poll(&changed, 1, static_cast<int>(left)) < 0) return;
  }
}

// When a process has started, in the kernel's ticks; empty if there is none of that number.
std::string start_of(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string text;
  std::getline(file, text);
  std::istringstream words(text.substr(std::min(text.rfind(')') + 1, text.size())));
  std::string word;
  for (int field = 3; field <= 22; ++field) words >> word;  // proc(5)
  return word;
}

// Of this process's namespace of processes.
ino_t own_space() {
  struct stat space {};
  stat("/proc/self/ns/pid", &space);
  return space.st_ino;
}

// What a host's groups are called, up to their number.
std::string name_in_front(pid_t host) { return fmt::format("worker-{}-{}-{}-", own_space(), host, start_of(host)); }

// Nobody is known here of a host in another namespace.
bool is_left_behind(const std::string& name) {
  unsigned long space = 0;
  pid_t host = 0;
  char start[32];
  if (std::sscanf(name.c_str(), "worker-%lu-%d-%31[0-9]-", &space, &host, start) != 3) return false;
  return space == own_space() && start_of(host) != start;
}

void remove_leftovers(const std::string& folder) {
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failed)) {
    const std::string name = entry.path().filename();
    if (!is_left_behind(name)) continue;
    const Descriptor left(::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (left) empty(left.get());
    rmdir(entry.path().c_str());
  }
}

// Why the groups below it cannot be had, or empty.
std::string obstacle(int folder, bool is_own) {
  if (faccessat(folder, "cgroup.subtree_control", W_OK, AT_EACCESS) != 0) return std::strerror(errno);
  const std::string controllers = read_text(folder, "cgroup.controllers");
  if (!has_word(controllers, "memory") && !has_word(controllers, "pids")) return "it has neither memory nor pids to limit";
  std::istringstream processes(read_text(folder, "cgroup.procs"));
  for (pid_t process; is_own && processes >> process;) {
    if (process != getpid()) return "this process is not alone in it";
  }
  return {};
}

}  // namespace

ControlGroup& ControlGroup::operator=(ControlGroup&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(folder_, other.folder_);
  std::swap(limits_threads_, other.limits_threads_);
  return *this;
}

ControlGroup::~ControlGroup() {
  if (!folder_) return;
  empty(folder_.get());
  rmdir(path_.c_str());
}

Result<void> ControlGroup::add(pid_t process) const {
  const int failed = write_text(folder_.get(), "cgroup.procs", std::to_string(process));
  if (failed) return error("cannot put a process into {}: {}", path_, std::strerror(failed));
  return {};
}

// Who else has run out of memory may have had it ended, too: then "oom" of this group is 0.
bool ControlGroup::has_run_out() const {
  const std::string events = read_text(folder_.get(), "memory.events");
  return number_of(events, "oom") > 0 && number_of(events, "oom_kill") > 0;
}

std::string ControlGroups::delegated() {
  std::string group = own_group();
  for (int up = 0; up < 2 && !group.empty(); ++up) {
    for (const char* mount : kMounts) {
      const std::string path = mount + (group == "/" ? "" : group);
      char mark = '\0';
      if (!is_control_group(mount)) continue;
      for (const char* name : kMarks) {
        if (getxattr(path.c_str(), name, &mark, 1) == 1 && mark == '1') return path;
      }
    }
    group.resize(group.rfind('/'));  // a group below it is where some managers put the process
  }
  return {};
}

ControlGroups::ControlGroups(std::string folder)
    : folder_(std::move(folder)), prefix_(name_in_front(getpid())) {}

Result<std::unique_ptr<ControlGroups>> ControlGroups::below(const std::string& folder) {
  if (!is_control_group(folder)) return error("{} is no folder of cgroup v2", folder);
  const Descriptor open_folder(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open_folder) return error("cannot open {}: {}", folder, std::strerror(errno));
  const int at = open_folder.get();
  const bool is_own = is_own_group(at);
  if (const std::string why = obstacle(at, is_own); !why.empty()) return error("cannot divide {}: {}", folder, why);
  if (is_own) {
    if (mkdirat(at, "host", 0755) != 0 && errno != EEXIST) return error("cannot make {}/host: {}", folder, std::strerror(errno));
    if (const int failed = write_text(at, "host/cgroup.procs", "0")) {
      unlinkat(at, "host", AT_REMOVEDIR);
      return error("cannot move to {}/host: {}", folder, std::strerror(failed));
    }
  }
  std::unique_ptr<ControlGroups> made(new ControlGroups(folder));
  const int no_memory = write_text(at, "cgroup.subtree_control", "+memory");
  const int no_pids = write_text(at, "cgroup.subtree_control", "+pids");
  if (no_memory && no_pids) {
    if (is_own) {
      write_text(at, "cgroup.procs", "0");
      unlinkat(at, "host", AT_REMOVEDIR);
    }
    return error("cannot divide {}: {}", folder, std::strerror(no_memory));
  }
  made->has_memory_ = no_memory == 0;
  made->has_pids_ = no_pids == 0;
  remove_leftovers(folder);
  return made;
}

Result<ControlGroup> ControlGroups::make(const Permissions& may) {
  ControlGroup group;
  std::string path = fmt::format("{}/{}{}", folder_, prefix_, ++made_);
  if (mkdir(path.c_str(), 0755) != 0) return error("cannot make {}: {}", path, std::strerror(errno));
  group.folder_ = Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!group.folder_) {
    const int failed = errno;
    rmdir(path.c_str());
    return error("cannot open {}: {}", path, std::strerror(failed));
  }
  group.path_ = std::move(path);
  const auto limit = [&](const char* file, const std::string& most) -> Result<void> {
    const int failed = write_text(group.folder_.get(), file, most);
    if (failed) return error("cannot set {}/{}: {}", group.path_, file, std::strerror(failed));
    return {};
  };
  if (has_memory_ && may.memory_bytes_max) {
    if (const auto set = limit("memory.max", std::to_string(may.memory_bytes_max)); !set) return set.failure();
    if (const auto set = limit("memory.oom.group", "1"); !set) return set.failure();
    const bool can_swap = faccessat(group.folder_.get(), "memory.swap.max", F_OK, 0) == 0;
    if (const auto set = can_swap ? limit("memory.swap.max", "0") : Result<void>(); !set) return set.failure();
  }
  if (has_pids_ && may.threads_max) {
    if (const auto set = limit("pids.max", std::to_string(may.threads_max + kProcessesBeside)); !set) return set.failure();
    group.limits_threads_ = true;
  }
  return group;
}

}  // namespace collet::worker
