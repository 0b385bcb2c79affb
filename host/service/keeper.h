// The process between the plugin that imports from remotes and a command that it runs: with the command, or with the host, ends all that
// the command has started.
#pragma once

namespace collet::service {

// The verb under which the host's executable runs keeper_main(): `executable __keep PROGRAM ARGUMENT…`.
inline constexpr const char* kKeepVerb = "__keep";

// Runs the program, looked for in its PATH, in a session of its own, with this process's standard streams and no other
// descriptor, and ends as it ends. Descriptor 4 is a file with the command's environment ("NAME=value\0" each), descriptor 3
// a stream socket. There goes a KeeperAnswer once the command runs, or cannot be run. Each byte that comes is passed on as
// SIGTERM to the command's process group. At the end of the stream, and when the parent has ended (expects SIGCONT then, as
// PR_SET_PDEATHSIG), all is killed. When nothing is left one byte goes back. What can be blocked of signals is.
[[noreturn]] void keeper_main(char** command);

struct KeeperAnswer {
  int error;    // an errno: it does not run
  int process;  // the command's, and its group
};

}  // namespace collet::service
