// A command of the shell that runs beside a loop.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"
#include "loop/read_watch.h"

namespace collet::cli {

// Loop thread.
class ShellCommand {
 public:
  // In `folder`, with what it says on stderr, nothing to read, and a process group of its own, so that it ends when
  // we say so and as a whole. `ended` is called once.
  static Result<std::unique_ptr<ShellCommand>> start(loop::Loop& loop, const std::string& command,
                                                     const std::string& folder, Callback<void()> ended);
  // One that runs is asked to end, as by `kill`, and a moment later ended.
  ~ShellCommand();
  ShellCommand(const ShellCommand&) = delete;
  ShellCommand& operator=(const ShellCommand&) = delete;

  bool has_ended() const { return ended_; }
  // Once it has ended: with the exit code 0?
  bool good() const { return ended_ && status_ == 0; }

 private:
  ShellCommand(pid_t pid, Descriptor process) : pid_(pid), process_(std::move(process)) {}

  void reap();

  const pid_t pid_;
  const Descriptor process_;
  std::unique_ptr<loop::ReadWatch> watch_;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace collet::cli
