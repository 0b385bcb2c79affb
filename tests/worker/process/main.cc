// What the host's executable does for `__worker` and `__names`, alone.
#include <cstring>

#include "plugin/crash/namer.h"
#include "worker/child/child.h"

// A leak checker looks at a process from another one, which a worker may not start.
extern "C" int __lsan_is_turned_off() { return 1; }

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], collet::plugin::crash::kNamerVerb) == 0) collet::plugin::crash::namer_main();
  collet::worker::worker_main();
}
