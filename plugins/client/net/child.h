// Child processes that speak lines on their standard streams, each in a session and process group of its own. They
// get no other descriptor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/limits.h"
#include "client/net/child_input.h"
#include "client/net/loop.h"
#include "client/net/result.h"

namespace collet::client {

// The variables that a child needs to find its way; everything else, such as our secrets, stays with us.
std::vector<std::string> inherited_by_default();

struct Command {
  std::string program;  // searched for in the child's PATH
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string folder;  // empty: ours
  std::vector<std::string> inherited =
      inherited_by_default();  // variables of ours that it gets besides, if they are set
};

class ChildListener {
 public:
  // The command runs; of its lines some may have come before. Not called if it cannot be started.
  virtual void on_started() {}
  // A line of stdout, without its end.
  virtual void on_line(std::string_view line) = 0;
  // A line of stderr.
  virtual void on_error_line(std::string_view line) = 0;
  // Last: it could not be started, has ended, closed its stdout or stdin, or broken a bound. Of the bytes that were queued it
  // may have taken the first `taken`.
  virtual void on_ended(const std::string& reason, std::uint64_t taken) = 0;

 protected:
  ~ChildListener() = default;
};

class Children;

// Owned by Children. The listener is called later, never from inside a function of this.
class Child {
 public:
  // Queues a line; its end is added. Returns how many bytes have been queued so far.
  std::uint64_t write(std::string line);
  // By which other threads send lines; what was sent so counts as taken.
  std::shared_ptr<ChildInput> input() const;
  // The listener is not called any more, and may be destroyed. Its stdin is closed; if it does not end by itself
  // its group gets SIGTERM, and then it is killed with all that it has started.
  void end();

 private:
  friend class Children;
  class Process;
  explicit Child(std::shared_ptr<Process> process) : process_(std::move(process)) {}
  std::shared_ptr<Process> process_;  // shared with libuv's callbacks
};

class Children {
 public:
  // `keeper`: words that a command is put behind, so that whatever it starts ends with it and with this process; see
  // client/net/keeper.h. Empty: it runs by itself.
  explicit Children(Loop& loop, std::vector<std::string> keeper = {}) : loop_(loop), keeper_(std::move(keeper)) {}
  // After all have ended.
  ~Children() = default;
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  // The child is there, or a failure says why it is not. With a keeper that is often known later.
  Result<std::unique_ptr<Child>> start(const Command& command, ChildListener& listener);

  // Ends all that are left, each step within `exit_ms`, and calls back when none is left.
  void end_all(std::uint64_t exit_ms, Task done);
  std::size_t count() const { return processes_.size(); }

 private:
  friend class Child::Process;
  void remove(const Child::Process* process);

  Loop& loop_;
  const std::vector<std::string> keeper_;
  std::vector<std::shared_ptr<Child::Process>> processes_;
  Task when_empty_;
};

}  // namespace collet::client
