// A process that has everything in it that a trial needs but the library, and forks one process for each trial:
// that takes a third of the work of starting one.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"

namespace collet::plugin {

class TrialParent {
 public:
  // Runs `executable __preflight`, which must call preflight_main().
  static Result<std::unique_ptr<TrialParent>> start(const std::string& executable);
  // Forks this process instead, which has one thread and knows no secret yet: that takes a tenth of the time, and goes on beside
  // whatever comes before the first trial. Null if it cannot be done.
  static std::unique_ptr<TrialParent> fork_here();
  ~TrialParent();  // ends a trial that is under way
  TrialParent(const TrialParent&) = delete;
  TrialParent& operator=(const TrialParent&) = delete;

  // Begins a trial of what the file `request` says; returns where its reports come from. An error if this process
  // is of no use any more.
  Result<Descriptor> begin(const Descriptor& request);
  // Readable when the trial has ended, or this process.
  const Descriptor& ended() const { return socket_; }
  // Waits for the end of the trial; its status, as of waitpid(). Nothing if it does not come.
  std::optional<int> wait(std::chrono::milliseconds at_most);

 private:
  TrialParent(pid_t pid, Descriptor socket);

  const pid_t pid_;
  const Descriptor process_;
  Descriptor socket_;
  bool under_way_ = false;
};

}  // namespace collet::plugin
