// Which system calls a worker may make.
#pragma once

#include <string>

#include "base/placement.h"

namespace collet::worker {

// Of the calling thread and those that it starts, for ever. What is denied fails with EPERM; where a key of the
// configuration would allow it, that is said on stderr, once. Returns what cannot be enforced, or empty.
std::string filter_calls(const std::string& plugin, const Permissions& may);

}  // namespace collet::worker
