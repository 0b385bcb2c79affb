// What a worker and all that it starts use of memory, threads and processes, counted together by the kernel: memory that is
// shared, and the pages of files, which no rlimit sees, count as well (cgroup v2, the kernel's admin-guide/cgroup-v2.rst).
// The host puts this wall up, from outside.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/placement.h"
#include "base/result.h"

namespace collet::worker {

// Of one worker.
class ControlGroup {
 public:
  ControlGroup() = default;  // none
  ControlGroup(ControlGroup&&) noexcept = default;
  ControlGroup& operator=(ControlGroup&& other) noexcept;
  ~ControlGroup();  // ends what is in it, and removes it

  explicit operator bool() const { return static_cast<bool>(folder_); }
  // The process is in it from now on, as is what it starts. Before that process runs foreign code.
  Result<void> add(pid_t process) const;
  bool limits_threads() const { return limits_threads_; }
  // Whether the kernel has ended something in it because it had used up its memory.
  bool has_run_out() const;

 private:
  friend class ControlGroups;

  std::string path_;
  Descriptor folder_;
  bool limits_threads_ = false;
};

// Those of a host, below a group that is its own to divide. Any thread.
class ControlGroups {
 public:
  // The group of this process, or the one above it, where a service manager has delegated it (systemd: a system service with
  // Delegate=yes); empty if none has.
  static std::string delegated();
  // Below `folder`. If this process is in that, alone, it moves on to "host" below it, as only the last groups may have
  // processes. Ends and removes what hosts that are dead have left there. A failure leaves all as it was.
  static Result<std::unique_ptr<ControlGroups>> below(const std::string& folder);

  Result<ControlGroup> make(const Permissions& may);
  // What cannot be limited here, "memory" or "pids", or empty.
  std::string_view missing() const { return !has_memory_ ? "memory" : !has_pids_ ? "pids" : ""; }

 private:
  explicit ControlGroups(std::string folder);

  const std::string folder_;
  const std::string prefix_;  // of the names of this host's groups
  bool has_memory_ = false;
  bool has_pids_ = false;
  std::atomic<unsigned> made_{0};
};

}  // namespace collet::worker
