// Limits of the kernel's on what a process uses.
#pragma once

#include <string>

#include "base/placement.h"

namespace collet::worker {

// Of the calling process and those that it starts. Returns the keys of what cannot be limited, or empty.
std::string set_limits(const Permissions& may);
// Of threads and processes: `others` of its user are there already. False if it cannot be.
bool limit_threads(const Permissions& may, unsigned others);

}  // namespace collet::worker
