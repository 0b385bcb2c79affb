// What the host's executable does for `__worker`, alone.
#include "worker/child/child.h"

// A leak checker looks at a process from another one, which a worker may not start.
extern "C" int __lsan_is_turned_off() { return 1; }

int main() { collet::worker::worker_main(); }
