// What the host's executable does for `__worker`, alone.
#include "worker/child.h"

int main() { collet::worker::worker_main(); }
