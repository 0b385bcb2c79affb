// The process through which a command runs, so that whatever the command starts ends with it, and with this process. What is
// said to it stands in host/service/keeper.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <collet/kit/descriptor.hpp>

namespace collet::client {

class Keeper {
 public:
  // The descriptors that it has of ours.
  static constexpr int kSocket = 3;
  static constexpr int kVariables = 4;

  // Before the process is started, with the variables that the command is to have ("NAME=value"). A null pointer: errno says
  // why not.
  static std::unique_ptr<Keeper> prepare(const std::vector<std::string>& variables);
  ~Keeper();  // as end()
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // What the process is to have as kSocket and kVariables, until started() is called.
  int its_end() const { return its_end_.get(); }
  int variables() const { return variables_.get(); }
  void started();

  // It can be read once begun() is known.
  int end_of_ours() const { return end_.get(); }
  // Whether the command runs: 0 or an errno; nothing if that is not known yet. Does not wait.
  std::optional<int> begun();

  void terminate() const;  // the command's group gets SIGTERM
  void end() const;        // all that the command has started is killed, and then it ends
  // Instead of one that is killed itself, or does not do as it is told.
  void kill_command() const;
  // After its end: whether it has left nothing.
  bool has_ended_all() const;

 private:
  Keeper() = default;

  kit::Descriptor end_;
  kit::Descriptor its_end_;
  kit::Descriptor variables_;
  int command_ = 0;  // process group
};

}  // namespace collet::client
