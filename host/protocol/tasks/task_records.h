// Tasks as a store has them: what of a task outlives its process.
//
// A record is kept when a task begins and when it is over. What its call says and asks meanwhile stays in the process that runs it;
// with that process the call ends, and the task has failed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "base/result.h"
#include "protocol/random_id.h"
#include "protocol/store_trouble.h"
#include "protocol/tasks/task.h"
#include "store/records.h"

namespace collet::protocol {

// Any thread. The store ends before this is destroyed.
class TaskRecords {
 public:
  explicit TaskRecords(store::Records& records) : records_(records) {}

  // A task that cannot be kept is in this process alone.
  void keep(const Task& task);
  void remove(const Task& task);

  // Each calls back, on any thread, with those of an owner's tasks that are there and may be read: they are over, or another process ran
  // them. An error: the store cannot tell.
  using Found = Callback<void(Result<std::vector<Task::Record>>)>;
  // Of these ids, the oldest first.
  void find(const std::string& owner, std::vector<std::string> ids, Found then);
  // All that are wanted: `wants` is asked on any thread.
  using Wants = std::function<bool(const std::string& id)>;
  void find_all(const std::string& owner, Wants wants, Found then);

 private:
  class Search;
  void collect(const std::string& owner, std::optional<std::string> after, Wants wants, std::vector<std::string> ids, Found then);

  store::Records& records_;
  const std::string process_ = random_id();
  StoreTrouble trouble_;
};

// The value of a record, and what it says; nothing: it is none.
std::string task_text(const Task::Record& record);
std::optional<Task::Record> read_task(std::string_view text);

}  // namespace collet::protocol
