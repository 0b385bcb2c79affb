// What the host's executable does for `__preflight` and `__names`, alone.
#include <cstring>

#include "plugin/crash/namer.h"
#include "plugin/load/preflight.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], collet::plugin::crash::kNamerVerb) == 0) collet::plugin::crash::namer_main();
  return collet::plugin::preflight_main(argc, argv);
}
