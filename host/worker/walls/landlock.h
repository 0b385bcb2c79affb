// Landlock: what of the file system a process may use. By system calls, as the C library has no functions for it.
#pragma once

#include <string>

#include "base/placement.h"

namespace collet::worker {

// Of the calling thread and those that it starts, for ever. Returns what the kernel cannot enforce, or empty.
// `view` may be read, too. `read_only`: what may not be written is mounted so, or is not there.
std::string confine_files(const Permissions& may, const std::string& view, bool read_only);

}  // namespace collet::worker
