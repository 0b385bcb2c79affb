#include "worker/walls/namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/descriptor.h"
#include "base/result.h"

namespace collet::worker {
namespace {

void write_file(const char* path, const std::string& text) {
  const Descriptor file(open(path, O_WRONLY | O_CLOEXEC));
  static_cast<void>(!write(file.get(), text.data(), text.size()));
}

}  // namespace

// Without root's rights a namespace of users gives them, over the other new ones only.
Namespaces separate(bool network) {
  Namespaces made;
  const uid_t user = geteuid();
  const gid_t group = getegid();
  const int wanted = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | (network ? 0 : CLONE_NEWNET) |
                     (user == 0 ? 0 : CLONE_NEWUSER);
  if (unshare(wanted) != 0) {
    made.unenforced = fmt::format("namespaces ({})", std::strerror(errno));
    return made;
  }
  made.made = true;
  if (user == 0) return made;
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", fmt::format("{0} {0} 1", user));
  write_file("/proc/self/gid_map", fmt::format("{0} {0} 1", group));
  made.of_users = true;
  return made;
}

}  // namespace collet::worker
