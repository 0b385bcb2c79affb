// collet: the command line. What each verb does stands in a file of its own.
#include <cstring>

#include "cli/command_line.h"
#include "loop/standard_streams.h"
#include "plugin/preflight.h"
#include "worker/child.h"
#include "worker/process.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], collet::plugin::kPreflightVerb) == 0) {
    return collet::plugin::preflight_main(argc, argv);
  }
  if (argc > 1 && std::strcmp(argv[1], collet::worker::kWorkerVerb) == 0) collet::worker::worker_main();
  collet::loop::fill_standard_descriptors();
  return collet::cli::run_command_line(argc, argv);
}
