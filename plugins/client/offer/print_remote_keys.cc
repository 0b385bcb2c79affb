// Prints the schema of [remote.<name>], which is built into the host's reader of configurations.
#include <cstdio>

#include "client/offer/remote_keys.h"

int main() { return std::puts(collet::client::schema_of_remote().c_str()) < 0 || std::fflush(stdout) != 0; }
