// Which system calls a worker may make.
#pragma once

#include <string>

#include "base/descriptor.h"
#include "base/placement.h"

namespace collet::worker {

struct CallFilter {
  Descriptor listener;  // for the host's Guard; none if this kernel cannot ask
  std::string unenforced;       // what cannot be enforced, or empty
};

// Of the calling thread and those that it starts, for ever. What is denied fails with EPERM. Calls on paths wait
// for the Guard from now on.
CallFilter filter_calls(const Permissions& may);

}  // namespace collet::worker
