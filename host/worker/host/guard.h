// Answers the system calls of a worker that its filter of calls asks its host about.
//
// Files: what the kernel denies (Landlock), or does not show at all, the guard denies first, and tells what would allow it;
// their modes and times it changes on the worker's behalf, where the worker may write, with the rights of the grant's
// owner. Sockets and programs that are not granted: it denies them, and tells. Connections where hosts or sockets of this machine are granted by
// name: it makes them on the worker's behalf, to the address that it has looked at, so that nothing can change in between.
#pragma once

#include <memory>
#include <thread>

#include "base/descriptor.h"
#include "worker/host/guard_order.h"

namespace collet::worker {

class Guard {
 public:
  // `listener` is what filter_calls() has given to the worker.
  Guard(Descriptor listener, GuardOrder order);
  ~Guard();  // what is asked from now on is left unanswered: the worker has ended, or is to

 private:
  class Watch;

  Descriptor stop_;
  std::unique_ptr<Watch> watch_;
  std::thread thread_;
};

}  // namespace collet::worker
