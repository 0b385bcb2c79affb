// Tasks: calls that go on after their request was answered. There are two dialects: the extension
// io.modelcontextprotocol/tasks (SEP-2663) of the modern era, and the core tasks of 2025-11-25
// (basic/utilities/tasks).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "protocol/version.h"
#include "registry/item.h"
#include "rpc/exchange.h"
#include "rpc/in_flight.h"

namespace collet::protocol {

inline constexpr std::string_view kTasksExtension = "io.modelcontextprotocol/tasks";

// One task. It takes the place of the client on the way back of its call: what the call answers becomes its result.
// Shared by the table, the call and those who wait for it. Written on the loop of its call, read by any thread.
class Task final : public rpc::Outlet {
 public:
  struct Origin {
    Era dialect = Era::modern;
    std::string owner;  // who may see it
    rpc::Place place;   // of its call
    std::uint64_t ttl_ms = limits::kTaskTtlMs;
    bool has_share = false;  // the owner is one of several, who are told apart
  };
  enum class Status : std::uint8_t { working, input_required, completed, failed, cancelled };
  // What the call has answered, once it is over, as JSON text: one of them, none if it was cancelled.
  struct Outcome {
    std::string result;
    std::string error;
  };
  // What outlives the process that runs it.
  struct Record {
    std::string process;  // that runs, or ran, it
    std::string id;
    Origin origin;  // but for the place
    Status status = Status::working;
    std::uint64_t created_at_ms = 0;  // since 1970, as is the next
    std::uint64_t updated_at_ms = 0;
    std::string message;
    Outcome outcome;
  };
  // `kept` counts the bytes that all tasks keep.
  using Bytes = std::shared_ptr<std::atomic<std::size_t>>;  // of the table and its tasks, which may outlive it
  // `now_ms` is of the clock by which it ends; see monotonic_ms().
  Task(std::string id, std::uint64_t number, Origin origin, std::uint64_t now_ms, Bytes kept);
  // One of an earlier process. With that its call has ended.
  Task(Record record, std::uint64_t number, std::uint64_t now_ms, Bytes kept);
  Record record() const;
  // The table keeps it no longer: its bytes do not count.
  void let_go();

  const std::string& id() const { return id_; }
  std::uint64_t number() const { return number_; }  // counts up in the order of creation
  const std::string& owner() const { return origin_.owner; }
  rpc::Place place() const { return origin_.place; }
  std::uint64_t expires_ms() const { return expires_ms_; }
  bool over() const;
  std::size_t bytes() const;  // of what it keeps

  // The members of a Task object, without braces; in the modern dialect with what its state adds.
  std::string describe() const;
  // "working" and so on.
  std::string_view status() const;
  // How often it has changed: the same number, the same description.
  std::uint64_t revision() const;

  // The call asks the client. Keys are unique for the task's life.
  void ask(const std::vector<registry::InputRequest>& questions);
  // The open ones: key → request.
  std::map<std::string, std::string> questions() const;
  // False if that key is not open: never asked, or answered already.
  bool take_answer(const std::string& key);
  void cancel();

  Outcome outcome() const;

  // `changed` is called after each change, on the thread that made it, until unwatch().
  std::uint64_t watch(std::function<void()> changed);
  void unwatch(std::uint64_t watch);

  // A progress message becomes the status message.
  void interim(std::span<const std::string_view> pieces) override;
  void answer(int http_status, std::span<const std::string_view> pieces) override;

 private:
  struct Answer {
    Outcome outcome = {};
    bool failed = false;
  };
  Answer read_answer(std::span<const std::string_view> pieces) const;

  // Changes the state, if `change` says that it did, and tells the watchers.
  template <class Change>
  bool update(Change&& change);

  const std::string id_;
  const std::uint64_t number_;
  const Origin origin_;
  const std::uint64_t expires_ms_;     // by the clock of the table
  const std::uint64_t created_at_ms_;  // since 1970, as is updated_ms_
  const Bytes kept_;

  mutable std::mutex mutex_;  // guards all below
  Status status_ = Status::working;
  std::uint64_t revision_ = 0;
  std::uint64_t updated_ms_;
  std::string message_;
  Outcome outcome_;
  bool let_go_ = false;
  std::map<std::string, std::string> questions_;  // open ones: key → request
  std::uint64_t last_watch_ = 0;
  std::map<std::uint64_t, std::function<void()>> watchers_;
};

using TaskPtr = std::shared_ptr<Task>;

bool is_over(Task::Status status);
// "working" and so on, as both dialects have it.
std::string_view status_name(Task::Status status);
std::optional<Task::Status> status_of(std::string_view name);

// Hears of a task's changes until it is destroyed.
class TaskWatch {
 public:
  TaskWatch(TaskPtr task, std::function<void()> changed)
      : task_(std::move(task)), watch_(task_->watch(std::move(changed))) {}
  ~TaskWatch() { task_->unwatch(watch_); }
  TaskWatch(const TaskWatch&) = delete;
  TaskWatch& operator=(const TaskWatch&) = delete;

  const TaskPtr& task() const { return task_; }

 private:
  const TaskPtr task_;
  const std::uint64_t watch_;
};

// All tasks, behind one lock. Bounded in number, time and bytes: of who has most, the oldest that are over go first.
class TaskTable {
 public:
  // `on_drop` is told, with the table's lock, of a task that goes for want of room.
  using OnDrop = std::function<void(const Task&)>;
  explicit TaskTable(std::size_t bytes_max = limits::kTasksBytesMax, OnDrop on_drop = {})
      : bytes_max_(bytes_max), on_drop_(std::move(on_drop)) {}

  // Null if there are kTasksMax that are not over, or a share of that of one who has a share.
  TaskPtr create(Task::Origin origin, std::uint64_t now_ms);
  // One of an earlier process, or what is here of that id by now. Null if there is no room for it.
  TaskPtr restore(Task::Record record, std::uint64_t now_ms);
  // Only for its owner.
  TaskPtr find(std::string_view id, std::string_view owner, std::uint64_t now_ms);
  // The owner's tasks behind the one of that number, oldest first, at most `count`.
  std::vector<TaskPtr> list(std::string_view owner, std::uint64_t behind, std::size_t count, std::uint64_t now_ms);
  std::size_t size() const;

 private:
  using ByAge = std::list<TaskPtr>;
  TaskPtr add(TaskPtr task);
  void expire(std::uint64_t now_ms);
  void shed_bytes();
  bool make_room(const Task::Origin& origin);
  ByAge::iterator oldest_over(const std::string* owner);
  void drop_for_room(ByAge::iterator task);
  void drop(ByAge::iterator task);

  const std::size_t bytes_max_;
  const OnDrop on_drop_;
  const Task::Bytes kept_ = std::make_shared<std::atomic<std::size_t>>(0);
  mutable std::mutex mutex_;
  std::uint64_t last_number_ = wall_ms();  // behind all of an earlier process, whose numbers clients may still have as cursors
  ByAge by_age_;  // oldest first
  std::unordered_map<std::string_view, ByAge::iterator> by_id_;
  std::multimap<std::uint64_t, ByAge::iterator> by_expiry_;
  std::map<std::string, std::size_t> counts_;  // by owner
};

}  // namespace collet::protocol
