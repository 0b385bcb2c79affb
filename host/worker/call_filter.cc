#include "worker/call_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

#include "base/result.h"

namespace collet::worker {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

// Of no use to a plugin, and of much to who wants to get out.
constexpr int kNever[] = {SYS_ptrace,
                          SYS_process_vm_readv,
                          SYS_process_vm_writev,
                          SYS_pidfd_getfd,
                          SYS_pidfd_send_signal,
                          SYS_rt_sigqueueinfo,
                          SYS_rt_tgsigqueueinfo,
                          SYS_kcmp,
                          SYS_mount,
                          SYS_umount2,
                          SYS_pivot_root,
                          SYS_chroot,
                          SYS_move_mount,
                          SYS_open_tree,
                          SYS_fsopen,
                          SYS_fsmount,
                          SYS_setns,
                          SYS_unshare,
                          SYS_bpf,
                          SYS_perf_event_open,
                          SYS_io_uring_setup,
                          SYS_io_uring_enter,
                          SYS_io_uring_register,
                          SYS_userfaultfd,
                          SYS_keyctl,
                          SYS_add_key,
                          SYS_request_key,
                          SYS_open_by_handle_at,
                          SYS_init_module,
                          SYS_finit_module,
                          SYS_delete_module,
                          SYS_kexec_load,
                          SYS_reboot,
                          SYS_swapon,
                          SYS_swapoff,
                          SYS_acct,
                          SYS_settimeofday,
                          SYS_clock_settime,
                          SYS_sethostname,
                          SYS_setsid,
                          SYS_setpgid};

// Of files: Landlock decides, and the host is asked so that it can tell what was denied.
constexpr int kOnPaths[] = {SYS_openat,  SYS_openat2,   SYS_mkdirat,  SYS_mknodat, SYS_unlinkat, SYS_symlinkat,
                            SYS_linkat,  SYS_renameat2, SYS_truncate,
#if defined(__x86_64__)
                            SYS_open,    SYS_creat,     SYS_mkdir,    SYS_mknod,   SYS_rmdir,    SYS_unlink,
                            SYS_symlink, SYS_link,      SYS_rename,   SYS_renameat
#endif
};

class Program {
 public:
  void add(std::uint16_t code, std::uint32_t k, std::uint8_t yes = 0, std::uint8_t no = 0) {
    code_.push_back({code, yes, no, k});
  }
  void load(std::size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
  void load_number() { load(offsetof(seccomp_data, nr)); }
  // The lower half of an argument.
  void load_argument(unsigned index) { load(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t)); }
  void answer(std::uint32_t with) { add(BPF_RET | BPF_K, with); }
  // With the number loaded.
  void answer_if(int number, std::uint32_t with) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1);
    answer(with);
  }
  // With the number loaded: if it is this one, and its argument is not that value, denies it.
  void deny_unless_argument(int number, unsigned index, std::uint32_t value, std::uint32_t with) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 4);
    load_argument(index);
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    answer(with);
    load_number();
  }
  void deny_if_argument(int number, unsigned index, std::uint32_t value, std::uint32_t with) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 4);
    load_argument(index);
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    answer(with);
    load_number();
  }
  void deny_without_bits(int number, unsigned index, std::uint32_t bits, std::uint32_t with) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 4);
    load_argument(index);
    add(BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0);
    answer(with);
    load_number();
  }
  // With the number loaded: denies it if its argument has one of the bits.
  void deny_with_bits(int number, unsigned index, std::uint32_t bits, std::uint32_t with) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 4);
    load_argument(index);
    add(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    answer(with);
    load_number();
  }
  // -1 if it fails. The descriptor, if asked for, is where the host hears what is asked.
  int install(bool asking) {
    const sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    const auto set = [&](unsigned flags) {
      return static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
    };
    if (!asking) return set(0);
    const int listener = set(SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
    return listener >= 0 ? listener : set(SECCOMP_FILTER_FLAG_NEW_LISTENER);  // kernels before 5.19
  }

 private:
  std::vector<sock_filter> code_;
};

constexpr std::uint32_t kDenied = SECCOMP_RET_ERRNO | EPERM;

// What can be asked of the host, if it listens.
Program program_for(const Permissions& may, bool asking) {
  const std::uint32_t ask_to_deny = asking ? SECCOMP_RET_USER_NOTIF : kDenied;
  Program program;
  program.load(offsetof(seccomp_data, arch));
  program.add(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
  program.answer(SECCOMP_RET_KILL_PROCESS);
  program.load_number();
#if defined(__x86_64__)
  constexpr std::uint32_t kX32 = 0x40000000;  // the same calls under other numbers
  program.add(BPF_JMP | BPF_JGE | BPF_K, kX32, 0, 1);
  program.answer(kDenied);
#endif
  for (const int number : kNever) program.answer_if(number, kDenied);
  const auto self = static_cast<std::uint32_t>(getpid());
  program.deny_unless_argument(SYS_tgkill, 0, self, kDenied);
  program.deny_if_argument(SYS_prctl, 0, PR_SET_PDEATHSIG, kDenied);
  if (!may.network) {
    program.answer_if(SYS_socket, ask_to_deny);
    program.answer_if(SYS_connect, may.hosts.empty() ? kDenied : ask_to_deny);
    program.answer_if(SYS_listen, kDenied);
    // What names an address by the way: datagrams, and the first bytes of a connection.
    program.deny_unless_argument(SYS_sendto, 5, 0, kDenied);
    program.deny_with_bits(SYS_sendto, 3, MSG_FASTOPEN, kDenied);
    program.deny_with_bits(SYS_sendmsg, 2, MSG_FASTOPEN, kDenied);
    program.deny_with_bits(SYS_sendmmsg, 3, MSG_FASTOPEN, kDenied);
    program.deny_with_bits(SYS_socketpair, 1, SOCK_DGRAM, kDenied);
  }
  if (!may.exec) {
    program.deny_unless_argument(SYS_kill, 0, self, kDenied);
    program.answer_if(SYS_tkill, kDenied);
    program.answer_if(SYS_execve, ask_to_deny);
    program.answer_if(SYS_execveat, ask_to_deny);
    program.answer_if(SYS_clone3,
                      SECCOMP_RET_ERRNO | ENOSYS);  // its flags cannot be seen: clone() is taken instead
    program.deny_without_bits(SYS_clone, 0, CLONE_THREAD, ask_to_deny);
#if defined(__x86_64__)
    program.answer_if(SYS_fork, ask_to_deny);
    program.answer_if(SYS_vfork, ask_to_deny);
#endif
  }
  if (asking) {
    for (const int number : kOnPaths) program.answer_if(number, SECCOMP_RET_USER_NOTIF);
  }
  program.answer(SECCOMP_RET_ALLOW);
  return program;
}

}  // namespace

CallFilter filter_calls(const Permissions& may) {
  if (const int listener = program_for(may, true).install(true); listener >= 0) {
    return {plugin::Descriptor(listener), {}};
  }
  std::string missing = "telling what is denied";
  if (!may.hosts.empty()) missing += ", connections to single hosts (none are made)";
  if (program_for(may, false).install(false) == 0) return {plugin::Descriptor(), missing};
  return {plugin::Descriptor(), fmt::format("system calls (seccomp: {})", std::strerror(errno))};
}

}  // namespace collet::worker
