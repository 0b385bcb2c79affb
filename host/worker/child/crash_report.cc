#include "worker/child/crash_report.h"

#include <execinfo.h>
#include <unistd.h>

#include <csignal>

#include "base/result.h"

namespace collet::worker {
namespace {

constexpr int kFramesMax = 32;

std::string heading;  // written before there is a crash, never destroyed

// Uses nothing that a crash could have left locked, once backtrace() has been called before.
void on_crash(int number) {
  static_cast<void>(!write(STDERR_FILENO, heading.data(), heading.size()));
  void* frames[kFramesMax];
  backtrace_symbols_fd(frames, backtrace(frames, kFramesMax), STDERR_FILENO);
  raise(number);  // its default action, which came back as this was called
}

}  // namespace

void report_crashes(const std::string& plugin) {
  heading = fmt::format("plugin {}: its worker process has crashed:\n", plugin);
  void* frames[1];
  backtrace(frames, 1);  // loads what it needs
  alignas(16) static char stack[64u << 10];
  const stack_t alternative{stack, 0, sizeof stack};
  sigaltstack(&alternative, nullptr);
  struct sigaction action {};
  action.sa_handler = on_crash;
  action.sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER;
  for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) sigaction(number, &action, nullptr);
}

}  // namespace collet::worker
