// The functions that end a process, in place of the system's, in libraries too: a plugin that calls one is to be named. What
// ends by the system call itself is not seen.
#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "plugin/crash/recorder.h"

namespace {

using Ender = void (*)(int);

// Found before there are other threads: dlsym() must not be called in a process that was just forked.
struct SystemEnders {
  Ender exit = find("exit");
  Ender immediate = find("_exit");
  Ender quick = find("quick_exit");

  static Ender find(const char* name) { return reinterpret_cast<Ender>(dlsym(RTLD_NEXT, name)); }
};
const SystemEnders system_enders;

[[noreturn]] void end_by(Ender ender, int code) {
  if (ender) ender(code);
  for (;;) syscall(SYS_exit_group, code);
}

}  // namespace

extern "C" {

void exit(int code) noexcept {
  collet::plugin::crash::note_exit("exit", code);
  end_by(system_enders.exit, code);
}

void _exit(int code) {
  collet::plugin::crash::note_exit("_exit", code);
  end_by(system_enders.immediate, code);
}

void _Exit(int code) noexcept {
  collet::plugin::crash::note_exit("_Exit", code);
  end_by(system_enders.immediate, code);
}

void quick_exit(int code) noexcept {
  collet::plugin::crash::note_exit("quick_exit", code);
  end_by(system_enders.quick, code);
}

}  // extern "C"
