// collet: the command line. What each verb does stands in a file of its own.
#include <sys/resource.h>

#include <algorithm>
#include <cstring>

#include "base/freed_memory.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "loop/standard_streams.h"
#include "plugin/crash/alternate_stack.h"
#include "plugin/crash/namer.h"
#include "plugin/load/preflight.h"
#include "service/keeper.h"
#include "service/own_end.h"
#include "worker/child/child.h"
#include "worker/host/process.h"
#include "worker/walls/enclosure.h"

namespace {

// Loops, plugins' copies and standard streams take some at once: with fewer nothing would begin.
constexpr rlim_t kOpenFilesMin = 64;

bool may_open_enough() {
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= kOpenFilesMin) return true;
  files.rlim_cur = std::min(kOpenFilesMin, files.rlim_max);
  if (files.rlim_cur >= kOpenFilesMin && setrlimit(RLIMIT_NOFILE, &files) == 0) return true;
  collet::cli::complain(
      fmt::format("it may have {} open files, and needs {}: raise `ulimit -n`", files.rlim_max, kOpenFilesMin));
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  collet::freed_memory::keep();
  if (argc > 1 && std::strcmp(argv[1], collet::plugin::kPreflightVerb) == 0) {
    return collet::plugin::preflight_main(argc, argv);
  }
  if (argc > 1 && std::strcmp(argv[1], collet::worker::kWorkerVerb) == 0) collet::worker::worker_main();
  if (argc > 1 && std::strcmp(argv[1], collet::service::kKeepVerb) == 0) collet::service::keeper_main(argv + 2);
  if (argc > 1 && std::strcmp(argv[1], collet::plugin::crash::kNamerVerb) == 0) {
    collet::plugin::crash::namer_main(collet::worker::enclose);
  }
  if (argc > 2 && std::strcmp(argv[1], collet::service::kOwnEndVerb) == 0) collet::service::own_end_main(argv[2]);
  collet::loop::fill_standard_descriptors();
  if (!may_open_enough()) return collet::cli::kUsage;
  const collet::plugin::crash::AlternateStack stack;
  collet::service::tell_own_end();
  return collet::cli::run_command_line(argc, argv);
}
