// A worker's process as the host sees it, and who starts one. Those of the operating system are in worker/host/process.h.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

namespace collet::worker {

// Of the thread that has started it, where nothing else is said.
class WorkerProcess {
 public:
  virtual ~WorkerProcess() = default;  // kills and reaps it

  virtual pid_t pid() const = 0;
  // Of the process that the library is in, once it is loaded: this one, or one that this one has started.
  virtual pid_t pid_of_library() const = 0;
  // Readable when it has ended; the same as long as this lives.
  virtual int ended() const = 0;
  // Once: the end of the pipe that has what it writes.
  virtual Descriptor take_output() = 0;
  // [any, while this lives] With all the processes that it has started.
  virtual void kill() const = 0;
  // Waits for its end: "crashed with SIGSEGV (Segmentation fault)", "ended with exit code 1".
  virtual std::string reap() = 0;
  // After reap(): whether it had used so much of processors, if there was such a limit.
  virtual bool ended_for_cpu(std::uint64_t seconds_max) const = 0;
};

class ProcessStarter {
 public:
  virtual ~ProcessStarter() = default;

  // A process that has the socket, the memory `arena` and these variables ("NAME=value"), and no others. Both descriptors are
  // borrowed until this returns.
  virtual Result<std::unique_ptr<WorkerProcess>> start(const Descriptor& socket, int arena,
                                                       const std::vector<std::string>& environment) = 0;
};

}  // namespace collet::worker
