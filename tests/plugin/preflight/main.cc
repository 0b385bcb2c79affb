// What the host's executable does for `__preflight`, alone.
#include "plugin/load/preflight.h"

int main(int argc, char** argv) { return collet::plugin::preflight_main(argc, argv); }
