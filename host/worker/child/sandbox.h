// The walls around a worker: what its plugin may do is what [plugin.<id>.permissions] says.
#pragma once

#include <string>

#include "base/descriptor.h"
#include "worker/talk/open_order.h"

namespace collet::worker {

struct Confinement {
  std::string library;          // where the plugin's library can be read from now on
  std::string unenforced;       // what this system could not be brought to enforce, in words, or empty
  Descriptor listener;  // see worker/walls/call_filter.h
};

// Confines this process for ever, by the walls below worker/walls/, in the order in which they are put up there. Goes on in a child
// of the calling process (see worker/walls/own_processes.h). Before there is another thread, and before foreign code is loaded.
Confinement confine(const OpenOrder& order);

}  // namespace collet::worker
