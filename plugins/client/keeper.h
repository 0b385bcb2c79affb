// The process through which a command runs, so that whatever the command starts ends with it, and with this process. What is
// said to it stands in host/cli/keeper.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace collet::client {

class Keeper {
 public:
  // The descriptor that it has of ours.
  static constexpr int kDescriptor = 3;

  // Before the process is started. A null pointer: errno says why not.
  static std::unique_ptr<Keeper> prepare();
  ~Keeper();  // as end()
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // What the process is to have as kDescriptor.
  int its_end() const { return its_end_; }
  // Once the process has been started: has it run the command with these variables ("NAME=value"). Returns 0 or an errno.
  // Waits until the command runs.
  int begin(const std::vector<std::string>& variables);

  void terminate() const;  // the command's group gets SIGTERM
  void end() const;        // all that the command has started is killed, and then it ends
  // Instead of one that is killed itself, or does not do as it is told.
  void kill_command() const;
  // After its end: whether it has left nothing.
  bool has_ended_all() const;

 private:
  Keeper(int end, int its_end) : end_(end), its_end_(its_end) {}

  int end_;
  int its_end_;
  int command_ = 0;  // process group
};

}  // namespace collet::client
