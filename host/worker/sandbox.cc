#include "worker/sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/result.h"
#include "worker/call_filter.h"
#include "worker/landlock.h"

namespace collet::worker {
namespace {

// Of securebits(7), all of them locked: being root, or becoming another user, gives and keeps no rights.
constexpr unsigned kNoRightsByUser = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
                                     SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                                     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

// Users that nobody else is: one for each process there can be.
constexpr uid_t kFirstUser = 0x70000000;

bool limit(int resource, std::uint64_t most) {
  const rlimit both{most, most};
  return setrlimit(static_cast<__rlimit_resource_t>(resource), &both) == 0;
}

class Walls {
 public:
  Walls(const Permissions& may, std::string library) : may_(may), library_(std::move(library)) {}

  Confinement build(const std::string& view) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    separate();
    set_limits();
    lock_rights();
    // Who may use files of others needs their owner's rights to do so.
    const bool own_user = geteuid() == 0 && may_.read.empty() && may_.write.empty();
    if (own_user) open_library(view);
    note(confine_files(may_, view));
    if (own_user) become_nobody_else();
    limit_threads();
    drop_rights();
    if (geteuid() == 0) note("a user of its own (it is root without root's rights, since files are granted)");
    prctl(PR_SET_DUMPABLE, 1);  // lost with the old user, as is the death with the parent
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    CallFilter filter = filter_calls(may_);
    note(filter.unenforced);
    return {library_, unenforced_, std::move(filter.listener)};
  }

 private:
  void note(const std::string& missing) {
    if (!missing.empty()) unenforced_ += (unenforced_.empty() ? "" : ", ") + missing;
  }

  // Without root's rights a user namespace gives them, over the new namespaces only.
  void separate() {
    const bool alone = !may_.network && may_.hosts.empty();
    const uid_t user = geteuid();
    const gid_t group = getegid();
    const int wanted = CLONE_NEWIPC | CLONE_NEWUTS | (alone ? CLONE_NEWNET : 0) | (user == 0 ? 0 : CLONE_NEWUSER);
    if (unshare(wanted) != 0) return note(fmt::format("namespaces ({})", std::strerror(errno)));
    if (user == 0) return;
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", fmt::format("{0} {0} 1", user));
    write_file("/proc/self/gid_map", fmt::format("{0} {0} 1", group));
    counts_its_own_ = true;
  }

  // Whatever it runs gets none, and becomes no one who has some.
  static void lock_rights() {
    constexpr int kRightsMax = 64;
    for (int right = 0; right < kRightsMax; ++right) prctl(PR_CAPBSET_DROP, right, 0, 0, 0);
    prctl(PR_SET_SECUREBITS, kNoRightsByUser, 0, 0, 0);
  }

  // Root's, or those over its namespaces. Who stays root may still open files of others, of which Landlock lets it see
  // those that are granted.
  void drop_rights() {
    const __u32 kept = geteuid() == 0 ? 1u << CAP_DAC_OVERRIDE : 0;
    const __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct few[2] = {{kept, kept, 0}, {}};
    if (syscall(SYS_capset, &header, few) != 0) note(fmt::format("rights ({})", std::strerror(errno)));
  }

  static void write_file(const char* path, const std::string& text) {
    const plugin::Descriptor file(open(path, O_WRONLY | O_CLOEXEC));
    static_cast<void>(!write(file.get(), text.data(), text.size()));
  }

  void set_limits() {
    limit(RLIMIT_CORE, 0);
    if (!limit(RLIMIT_NOFILE, may_.files_max)) note("files_max");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which reserve more than there is
    if (may_.memory_bytes_max && !limit(RLIMIT_AS, may_.memory_bytes_max)) note("memory_bytes_max");
#endif
    std::signal(SIGXFSZ, SIG_IGN);  // a file that is too large is an error of who writes it
    if (may_.file_bytes_max && !limit(RLIMIT_FSIZE, may_.file_bytes_max)) note("file_bytes_max");
    // SIGXCPU, and a second later SIGKILL.
    const rlimit cpu{may_.cpu_seconds_max, may_.cpu_seconds_max + 1};
    if (may_.cpu_seconds_max && setrlimit(RLIMIT_CPU, &cpu) != 0) note("cpu_seconds_max");
  }

  // The way to it is the host's alone: a descriptor leads there, to the file, or to its folder if there is more in that.
  void open_library(const std::string& view) {
    const std::size_t slash = library_ == view ? library_.size() : library_.rfind('/');
    const int fd = open(library_.substr(0, slash).c_str(), O_PATH);
    if (fd >= 0) library_ = fmt::format("/proc/self/fd/{}{}", fd, library_.substr(slash));
  }

  void become_nobody_else() {
    const uid_t user = kFirstUser + static_cast<uid_t>(getpid());
    if (setgroups(0, nullptr) != 0 || setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0) {
      return note(fmt::format("a user of its own ({})", std::strerror(errno)));
    }
    counts_its_own_ = true;
  }

  // The kernel counts them by user, and in a namespace of users by that.
  void limit_threads() {
    if (!counts_its_own_ || !limit(RLIMIT_NPROC, may_.threads_max)) note("threads_max");
  }

  const Permissions& may_;
  std::string library_;
  std::string unenforced_;
  bool counts_its_own_ = false;  // processes and threads, and none of others
};

}  // namespace

Confinement confine(const Permissions& may, const std::string& library, const std::string& view) {
  return Walls(may, library).build(view);
}

}  // namespace collet::worker
