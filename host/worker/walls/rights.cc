#include "worker/walls/rights.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/result.h"

namespace collet::worker {
namespace {

// Of securebits(7), all of them locked: being root, or becoming another user, gives and keeps no rights.
constexpr unsigned kNoRightsByUser = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
                                     SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                                     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
constexpr int kRightsMax = 64;

}  // namespace

void lock_rights() {
  for (int right = 0; right < kRightsMax; ++right) prctl(PR_CAPBSET_DROP, right, 0, 0, 0);
  prctl(PR_SET_SECUREBITS, kNoRightsByUser, 0, 0, 0);
}

bool become(uid_t user) {
  return setgroups(0, nullptr) == 0 && setresgid(user, user, user) == 0 && setresuid(user, user, user) == 0;
}

std::string drop_rights() {
  const __u32 kept = geteuid() == 0 ? 1u << CAP_DAC_OVERRIDE : 0;
  const __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct few[2] = {{kept, kept, 0}, {}};
  return syscall(SYS_capset, &header, few) == 0 ? std::string() : fmt::format("rights ({})", std::strerror(errno));
}

}  // namespace collet::worker
