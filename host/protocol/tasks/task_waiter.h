// tasks/result of 2025-11-25: a request that is answered when its task is over, and asks the client meanwhile what
// the task wants to know.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "protocol/held_open.h"
#include "protocol/request.h"
#include "protocol/tasks/task.h"

namespace collet::protocol {

class ServerLoop;

// Answers with what the task's call has answered.
void answer_with_outcome(Request& request, const Task& task);

class TaskWaiter final : public HeldOpen {
 public:
  TaskWaiter(ServerLoop& loop, std::uint64_t serial, RequestPtr request, TaskPtr task);
  ~TaskWaiter() override;

  // Sends what has come up.
  void look() override;
  // The client gets no answer, and the task goes on.
  void cancel() override;
  bool is_endless() const override { return false; }

  void on_gone() override;

 private:
  void ask();

  ServerLoop& loop_;
  const std::uint64_t serial_;
  const RequestPtr request_;
  const TaskPtr task_;
  std::set<std::string> asked_;  // keys
  const TaskWatch watch_;
};

}  // namespace collet::protocol
