// A worker as an operating-system process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "worker/host/worker_process.h"

namespace collet::worker {

// The verb under which the host's executable runs worker_main(), and the descriptors that it finds there.
inline constexpr const char* kWorkerVerb = "__worker";
inline constexpr int kSocketDescriptor = 3;
inline constexpr int kArenaDescriptor = 4;

// The process, and all that it and they have started.
std::vector<pid_t> with_descendants(pid_t process);

class Process final : public WorkerProcess {
 public:
  // Runs `executable __worker` in a session of its own, without a terminal, with these descriptors and variables
  // ("NAME=value") and no others; its stdout and stderr are a pipe. It dies with the calling thread.
  static Result<std::unique_ptr<WorkerProcess>> spawn(const std::string& executable, const Descriptor& socket, int arena,
                                                      const std::vector<std::string>& environment);

  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() override;

  pid_t pid() const override { return pid_; }
  // If it has gone on in a child (see worker/walls/own_processes.h), the last one that it has started.
  pid_t pid_of_library() const override;
  int ended() const override { return ended_.get(); }
  Descriptor take_output() override { return std::move(output_); }
  void kill() const override;
  std::string reap() override;
  bool ended_for_cpu(std::uint64_t seconds_max) const override;

 private:
  Process() = default;

  pid_t pid_ = 0;  // 0: none, or reaped
  Descriptor ended_;
  Descriptor output_;
  int signal_ = 0;  // that it ended of
  long cpu_seconds_ = 0;
};

// Runs one executable.
class SpawnedProcesses final : public ProcessStarter {
 public:
  explicit SpawnedProcesses(std::string executable) : executable_(std::move(executable)) {}
  Result<std::unique_ptr<WorkerProcess>> start(const Descriptor& socket, int arena,
                                               const std::vector<std::string>& environment) override {
    return Process::spawn(executable_, socket, arena, environment);
  }

 private:
  const std::string executable_;
};

}  // namespace collet::worker
