// Tasks as a store has them: what of a task outlives its process.
//
// A record is kept when a task begins and when it is over. What its call says and asks meanwhile stays in the process that runs it;
// with that process the call ends, and the task has failed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "base/result.h"
#include "protocol/tasks/task.h"
#include "store/records.h"

namespace collet::protocol {

// Any thread. The store has ended before the loops are destroyed.
class TaskRecords {
 public:
  explicit TaskRecords(store::Records& records) : records_(records) {}

  // A task that cannot be kept is in this process alone.
  void keep(const Task& task);
  // Each calls back, on any thread, with those of the tasks that are there and the owner's, oldest first: of these ids, or all. An error:
  // the store cannot tell.
  using Found = Callback<void(Result<std::vector<Task::Record>>)>;
  void find(const std::string& owner, std::vector<std::string> ids, Found then);
  void find_all(const std::string& owner, Found then);

 private:
  class Search;

  store::Records& records_;
};

// The value of a record, and what it says; nothing: it is none.
std::string task_text(const Task::Record& record);
std::optional<Task::Record> read_task(std::string_view text);

}  // namespace collet::protocol
