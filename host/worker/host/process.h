// A worker as an operating-system process.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

namespace collet::worker {

// The verb under which the host's executable runs worker_main(), and the descriptors that it finds there.
inline constexpr const char* kWorkerVerb = "__worker";
inline constexpr int kSocketDescriptor = 3;
inline constexpr int kArenaDescriptor = 4;

// Where the plugin's library is: in the process that was spawned, or, if that has gone on in a child (see
// worker/walls/own_processes.h), in the last one that it has started.
pid_t process_of_library(pid_t spawned);

// The process, and all that it and they have started.
std::vector<pid_t> with_descendants(pid_t process);

class Process {
 public:
  // Runs `executable __worker` in a session of its own, without a terminal, with these descriptors and variables
  // ("NAME=value") and no others; its stdout and stderr are a pipe. It dies with the calling thread.
  static Result<Process> spawn(const std::string& executable, const Descriptor& socket, int arena,
                               const std::vector<std::string>& environment);

  Process() = default;
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();  // kills and reaps it

  pid_t pid() const { return pid_; }
  // Readable when it has ended.
  int ended() const { return ended_.get(); }
  // Once: the end of the pipe that has what it writes.
  Descriptor take_output() { return std::move(output_); }
  // [any, while this lives] With all the processes that it has started.
  void kill() const;
  // Waits for its end: "crashed with SIGSEGV (Segmentation fault)", "ended with exit code 1".
  std::string reap();
  // After reap(): whether it had used so much of processors, if there was such a limit.
  bool ended_for_cpu(std::uint64_t seconds_max) const;

 private:
  pid_t pid_ = 0;  // 0: none, or reaped
  Descriptor ended_;
  Descriptor output_;
  int signal_ = 0;  // that it ended of
  long cpu_seconds_ = 0;
};

}  // namespace collet::worker
