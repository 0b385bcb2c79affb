#include "worker/call_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
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

std::string messages[2];  // by what a trapped call wants; written before the filter is there, never destroyed
std::atomic<bool> said[2];

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
  bool install() {
    const sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
  }

 private:
  std::vector<sock_filter> code_;
};

constexpr std::uint32_t kDenied = SECCOMP_RET_ERRNO | EPERM;
enum Wanted : std::uint32_t { kNetwork = 0, kExec = 1 };
constexpr std::uint32_t trapped(Wanted wanted) { return SECCOMP_RET_TRAP | wanted; }

// A denied call: says so, once for each kind, and fails it.
void on_denied(int, siginfo_t* info, void* context) {
  const auto wanted = static_cast<unsigned>(info->si_errno);
  if (wanted < std::size(messages) && !said[wanted].exchange(true)) {
    static_cast<void>(!write(STDERR_FILENO, messages[wanted].data(), messages[wanted].size()));
  }
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  registers.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
  registers.regs[0] = static_cast<std::uint64_t>(-EPERM);
#endif
}

bool listen_for_denials(const std::string& plugin) {
  messages[kNetwork] = fmt::format(
      "plugin {0}: its worker may not open sockets: network = true in [plugin.{0}.permissions] allows it\n",
      plugin);
  messages[kExec] = fmt::format(
      "plugin {0}: its worker may not run programs: exec = true in [plugin.{0}.permissions] allows it\n", plugin);
  struct sigaction action {};
  action.sa_sigaction = on_denied;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  return sigaction(SIGSYS, &action, nullptr) == 0;
}

}  // namespace

std::string filter_calls(const std::string& plugin, const Permissions& may) {
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
  if (!may.network) program.answer_if(SYS_socket, trapped(kNetwork));
  if (!may.exec) {
    program.deny_unless_argument(SYS_kill, 0, self, kDenied);
    program.answer_if(SYS_tkill, kDenied);
    program.answer_if(SYS_execve, trapped(kExec));
    program.answer_if(SYS_execveat, trapped(kExec));
    program.answer_if(SYS_clone3,
                      SECCOMP_RET_ERRNO | ENOSYS);  // its flags cannot be seen: clone() is taken instead
    program.deny_without_bits(SYS_clone, 0, CLONE_THREAD, trapped(kExec));
#if defined(__x86_64__)
    program.answer_if(SYS_fork, trapped(kExec));
    program.answer_if(SYS_vfork, trapped(kExec));
#endif
  }
  program.answer(SECCOMP_RET_ALLOW);
  if (!listen_for_denials(plugin) || !program.install()) {
    return fmt::format("system calls (seccomp: {})", std::strerror(errno));
  }
  return {};
}

}  // namespace collet::worker
