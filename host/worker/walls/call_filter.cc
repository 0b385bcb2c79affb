#include "worker/walls/call_filter.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <vector>

#include "base/result.h"

namespace collet::worker {
namespace {

// What a plugin and the runtimes of C, C++, Rust, Go and Python need for memory, threads, time, signals and files
// that are open. A name that this architecture lacks is passed over.
constexpr const char* kAlways[] = {
    // memory
    "brk", "madvise", "membarrier", "mincore", "mlock", "mlock2", "mlockall", "mmap", "mprotect", "mremap", "msync",
    "munlock", "munlockall", "munmap", "pkey_alloc", "pkey_free", "pkey_mprotect", "get_mempolicy", "mbind",
    "set_mempolicy", "map_shadow_stack",
    // threads and the end of the process
    "arch_prctl", "exit", "exit_group", "futex", "futex_waitv", "get_robust_list", "getcpu", "gettid", "rseq",
    "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam",
    "sched_getscheduler", "sched_rr_get_interval", "sched_yield", "set_robust_list", "set_tid_address",
    "restart_syscall",
    // time
    "alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "getitimer", "gettimeofday", "nanosleep", "setitimer",
    "time", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime", "timerfd_create",
    "timerfd_gettime", "timerfd_settime", "times",
    // signals, and the end of children, of which there may be none
    "pause", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
    "sigaltstack", "signalfd", "signalfd4", "wait4", "waitid",
    // files that are open, and what is known of paths
    "access", "chdir", "close", "close_range", "copy_file_range", "dup", "dup2", "dup3", "faccessat", "faccessat2",
    "fadvise64", "fallocate", "fchdir", "fdatasync", "fgetxattr", "flistxattr", "flock", "fstat", "fstatfs",
    "fsync", "ftruncate", "getcwd", "getdents", "getdents64", "getxattr", "lgetxattr", "listxattr", "llistxattr",
    "lseek", "lstat", "newfstatat", "pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2", "read",
    "readahead", "readlink", "readlinkat", "readv", "sendfile", "splice", "stat", "statfs", "statx", "sync_file_range",
    "tee", "umask", "vmsplice", "write", "writev",
    // waiting
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd", "eventfd2",
    "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch", "pipe", "pipe2", "poll", "ppoll",
    "pselect6", "select",
    // sockets that are open
    "getpeername", "getsockname", "getsockopt", "recvfrom", "recvmmsg", "recvmsg", "setsockopt", "shutdown",
    // what is known of itself and the machine
    "capget", "getegid", "geteuid", "getgid", "getgroups", "getpgid", "getpgrp", "getpid", "getppid", "getpriority",
    "getrandom", "getresgid", "getresuid", "getrlimit", "getrusage", "getsid", "getuid", "ioprio_get", "setrlimit",
    "sysinfo", "uname",
    // more walls of its own
    "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "seccomp"};

// Of files: Landlock decides, and the host is asked so that it can tell what was denied.
constexpr const char* kOnPaths[] = {"creat",     "link",     "linkat",    "mkdir",   "mkdirat",   "mknod",   "mknodat",
                                    "open",      "openat",   "openat2",   "rename",  "renameat",  "renameat2",
                                    "rmdir",     "symlink",  "symlinkat", "truncate", "unlink",   "unlinkat"};

// The host does it on the worker's behalf, in what may be written. All else about files but their content is denied:
// owners and attributes.
constexpr const char* kOnModesAndTimes[] = {"chmod", "fchmod", "fchmodat", "utimensat"};

constexpr const char* kWithNetwork[] = {"accept", "accept4", "bind", "listen", "sendmmsg", "sendmsg", "sendto"};
constexpr unsigned kSocketTypes = 0xf;  // what of a socket's type is not a flag

constexpr const char* kWithExec[] = {"execve", "execveat", "fork", "kill", "tkill", "vfork"};

// Of ioctl(): how much there is to read, to block or not, to be inherited or not, and whether it is a terminal.
constexpr unsigned kControls[] = {FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, FIOASYNC, TCGETS, TIOCGWINSZ, TIOCOUTQ};

// Of fcntl(): copies, flags, locks, the size of pipes; not whom to signal, which may be anyone.
constexpr unsigned kFileControls[] = {F_DUPFD,   F_DUPFD_CLOEXEC, F_GETFD,      F_SETFD,       F_GETFL,
                                      F_SETFL,   F_GETLK,         F_SETLK,      F_SETLKW,      F_OFD_GETLK,
                                      F_OFD_SETLK, F_OFD_SETLKW,  F_GETPIPE_SZ, F_SETPIPE_SZ,  F_GET_SEALS,
                                      F_ADD_SEALS, F_GETOWN,      F_GETSIG};

// Of prctl(): names of threads and of memory, what is known, and what takes rights away.
constexpr unsigned kProcessControls[] = {PR_GET_PDEATHSIG,  PR_GET_DUMPABLE,     PR_SET_NAME,
                                         PR_GET_NAME,       PR_GET_SECCOMP,      PR_SET_SECCOMP,
                                         PR_CAPBSET_READ,   PR_SET_TIMERSLACK,   PR_GET_TIMERSLACK,
                                         PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_SET_THP_DISABLE,
                                         PR_GET_THP_DISABLE, PR_SET_VMA};

constexpr unsigned kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                 CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME;

// Conditions on an argument, of whose type the kernel sees 32 bits.
scmp_arg_cmp is(unsigned argument, unsigned value) {
  return {argument, SCMP_CMP_MASKED_EQ, 0xffffffff, value};
}
scmp_arg_cmp bits_are(unsigned argument, unsigned bits, unsigned value) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, value};
}
scmp_arg_cmp lacks(unsigned argument, unsigned bits) { return bits_are(argument, bits, 0); }
scmp_arg_cmp is_null(unsigned argument) { return {argument, SCMP_CMP_EQ, 0, 0}; }

constexpr std::uint32_t kDeny = SCMP_ACT_ERRNO(EPERM);

// Denies what no rule speaks of, as do calls by the numbers of other architectures.
class Filter {
 public:
  Filter() : context_(seccomp_init(kDeny), seccomp_release) {
    if (!context_) return;
    seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, kDeny);
    seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a tree instead of a list
  }

  void answer(const char* name, std::uint32_t action, std::initializer_list<scmp_arg_cmp> conditions = {}) {
    const int number = seccomp_syscall_resolve_name(name);
    if (!context_ || number == __NR_SCMP_ERROR || action == kDeny) return;  // as without a rule
    const std::vector<scmp_arg_cmp> all(conditions);
    const int failed =
        seccomp_rule_add_array(context_.get(), action, number, static_cast<unsigned>(all.size()), all.data());
    if (failed != 0 && problem_.empty()) problem_ = fmt::format("{}: {}", name, std::strerror(-failed));
  }
  void allow(const char* name, std::initializer_list<scmp_arg_cmp> conditions = {}) {
    answer(name, SCMP_ACT_ALLOW, conditions);
  }

  Result<std::vector<sock_filter>> program() const {
    if (!context_) return error("no memory");
    if (!problem_.empty()) return error("{}", problem_);
    const Descriptor file(memfd_create("filter", MFD_CLOEXEC));
    if (const int failed = seccomp_export_bpf(context_.get(), file.get()); failed != 0) {
      return error("{}", std::strerror(-failed));
    }
    const off_t size = lseek(file.get(), 0, SEEK_END);
    std::vector<sock_filter> code(static_cast<std::size_t>(std::max<off_t>(size, 0)) / sizeof(sock_filter));
    if (pread(file.get(), code.data(), code.size() * sizeof(sock_filter), 0) != size) return error("it is cut off");
    return code;
  }

 private:
  std::unique_ptr<void, decltype(&seccomp_release)> context_;
  std::string problem_;
};

// What can be asked of the host, if it listens.
Filter filter_for(const Permissions& may, bool asking) {
  const auto self = static_cast<unsigned>(getpid());
  const std::uint32_t ask = SCMP_ACT_NOTIFY;
  const std::uint32_t ask_to_deny = asking ? ask : kDeny;
  Filter filter;
  for (const char* name : kAlways) filter.allow(name);
  for (const char* name : kOnPaths) filter.answer(name, asking ? ask : SCMP_ACT_ALLOW);
  for (const unsigned control : kControls) filter.allow("ioctl", {is(1, control)});
  for (const unsigned control : kFileControls) filter.allow("fcntl", {is(1, control)});
  for (const unsigned control : kProcessControls) filter.allow("prctl", {is(0, control)});
  // Itself, and no other process.
  filter.allow("tgkill", {is(0, self)});
  for (const char* name : {"prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam"}) {
    filter.allow(name, {is(0, 0)});
    filter.allow(name, {is(0, self)});
  }
  if (asking && !may.write.empty()) {
    for (const char* name : kOnModesAndTimes) filter.answer(name, ask);
  }
  if (may.network) {
    for (const char* name : kWithNetwork) filter.allow(name);
    // With sockets of this machine the host has to look where each one goes.
    filter.answer("connect", may.unix_sockets.empty() ? SCMP_ACT_ALLOW : ask_to_deny);
    for (const unsigned family : {AF_INET, AF_INET6, AF_NETLINK}) filter.allow("socket", {is(0, family)});
    if (!may.unix_sockets.empty()) filter.allow("socket", {is(0, AF_UNIX), bits_are(1, kSocketTypes, SOCK_STREAM)});
  } else {
    filter.answer("socket", ask_to_deny);
    if (!may.hosts.empty() || !may.unix_sockets.empty()) filter.answer("connect", ask_to_deny);
    // Nothing that names an address by the way: datagrams, and the first bytes of a connection.
    filter.allow("sendto", {is_null(4), lacks(3, MSG_FASTOPEN)});
    filter.allow("sendmsg", {lacks(2, MSG_FASTOPEN)});
    filter.allow("sendmmsg", {lacks(3, MSG_FASTOPEN)});
  }
  filter.allow("socketpair", {lacks(1, SOCK_DGRAM)});  // from which datagrams could go to any socket of this machine
  filter.answer("clone3", SCMP_ACT_ERRNO(ENOSYS));  // its flags cannot be seen: clone() is taken instead
  if (may.exec) {
    for (const char* name : kWithExec) filter.allow(name);
    filter.allow("clone", {lacks(0, kNamespaces)});
  } else {
    filter.allow("kill", {is(0, self)});
    for (const char* name : {"execve", "execveat", "fork", "vfork"}) filter.answer(name, ask_to_deny);
    filter.allow("clone", {bits_are(0, CLONE_THREAD | kNamespaces, CLONE_THREAD)});
    filter.answer("clone", ask_to_deny, {lacks(0, CLONE_THREAD)});
  }
  return filter;
}

// -1 if it fails. The descriptor, if asked for, is where the host hears what is asked.
int install(std::vector<sock_filter> code, bool asking) {
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  const auto set = [&](unsigned flags) {
    return static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
  };
  if (!asking) return set(0);
  const int listener = set(SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
  return listener >= 0 ? listener : set(SECCOMP_FILTER_FLAG_NEW_LISTENER);  // kernels before 5.19
}

}  // namespace

CallFilter filter_calls(const Permissions& may) {
  std::string problem;
  for (const bool asking : {true, false}) {
    const auto program = filter_for(may, asking).program();
    if (!program) {
      problem = program.message();
      continue;
    }
    const int set = install(*program, asking);
    problem = std::strerror(errno);
    if (set < 0) continue;
    if (asking) return {Descriptor(set), {}};
    std::string missing = "telling what is denied";
    if (!may.hosts.empty() || !may.unix_sockets.empty()) missing += ", connections to what is granted by name (none are made)";
    return {Descriptor(), missing};
  }
  return {Descriptor(), fmt::format("system calls (seccomp: {})", problem)};
}

}  // namespace collet::worker
