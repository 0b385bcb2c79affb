#include "service/own_end.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <string_view>

#include "base/log.h"
#include "plugin/crash/recorder.h"
#include "plugin/crash/report.h"

namespace collet::service {
namespace {

constexpr const char* kFormats[] = {"text", "json", "prefixed"};  // in the order of log::Format
constexpr unsigned kTellingSeconds = 10;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kTells = false;  // the sanitizer does
#else
constexpr bool kTells = true;
#endif

int own_record = -1;  // the file that it is in

// What can be said without a process for it. Async-signal-safe.
void tell_in_short(const plugin::crash::Record& record) {
  const char* const signal = record.signal != 0 ? sigabbrev_np(record.signal) : nullptr;
  const std::string_view words[] = {"plugin ", record.plugin.view(), ": ", signal ? "crashed with SIG" : "called ",
                                    signal ? signal : record.ender.view(), " in ", record.function.view(), " ",
                                    record.item.view(), "\n"};
  for (const std::string_view each : words) static_cast<void>(!write(STDERR_FILENO, each.data(), each.size()));
}

// Async-signal-safe. A process that has not crashed says it: one that has may have done so while it held a lock of anything. Not
// by fork(), which takes locks.
void have_it_told(const plugin::crash::Record& record) {
  const auto teller = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  if (teller == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    alarm(kTellingSeconds);
    dup2(own_record, STDIN_FILENO);
    char* arguments[] = {const_cast<char*>("collet"), const_cast<char*>(kOwnEndVerb),
                         const_cast<char*>(kFormats[static_cast<int>(log::format())]), nullptr};
    char* variables[] = {nullptr};
    execve("/proc/self/exe", arguments, variables);
    syscall(SYS_exit_group, 1);
  }
  int status = -1;
  while (teller > 0 && waitpid(teller, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) tell_in_short(record);
}

}  // namespace

void tell_own_end() {
  if (!kTells) return;
  own_record = memfd_create("collet-end", MFD_CLOEXEC);
  if (own_record < 0 || ftruncate(own_record, plugin::crash::kRecordBytes) != 0) return;
  if (plugin::crash::Record* record = plugin::crash::map_record(own_record, 0)) plugin::crash::record_end(*record, have_it_told);
}

void own_end_main(const char* format) {
  for (std::size_t i = 0; i < std::size(kFormats); ++i) {
    if (std::strcmp(kFormats[i], format) == 0) log::configure(log::Level::error, static_cast<log::Format>(i));
  }
  const auto record = plugin::crash::take_record(STDIN_FILENO, 0);
  if (!record) _exit(1);
  const std::string_view plugin = record->plugin.view();
  const std::string who = plugin.empty() ? "collet" : fmt::format("plugin {}", plugin);
  for (const std::string& line : plugin::crash::describe(*record, {.process = record->process}, "/proc/self/exe")) {
    log::error("{}: {}", who, line);
  }
  log::error("{}: with it this process ends, and all that it serves", who);
  _exit(0);
}

}  // namespace collet::service
