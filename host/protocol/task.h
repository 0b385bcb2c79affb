// Tasks (extension io.modelcontextprotocol/tasks, SEP-2663): calls that go on after their request was answered.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/limits.h"
#include "registry/item.h"
#include "rpc/exchange.h"
#include "rpc/in_flight.h"

namespace collet::protocol {

inline constexpr std::string_view kTasksExtension = "io.modelcontextprotocol/tasks";

// One task. It takes the place of the client on the way back of its call: what the call answers becomes its result.
// Shared by the table and the call. Written on the loop of its call, read by any thread.
class Task final : public rpc::Outlet {
 public:
  Task(std::string id, std::string principal, rpc::Place place, std::uint64_t now_ms);

  const std::string& id() const { return id_; }
  const std::string& principal() const { return principal_; }
  rpc::Place place() const { return place_; }  // of its call
  std::uint64_t created_ms() const { return created_ms_; }
  bool over() const;
  std::size_t bytes() const;

  // The members of a Task object, without braces, with what its state adds.
  std::string describe() const;

  // The call asks the client. Keys are unique for the task's life.
  void ask(const std::vector<registry::InputRequest>& questions);
  // False if that key is not open: never asked, or answered already.
  bool take_answer(const std::string& key);
  void cancel();

  // A progress message becomes the status message.
  void interim(std::span<const std::string_view> pieces) override;
  void answer(int http_status, std::span<const std::string_view> pieces) override;

 private:
  enum class Status : std::uint8_t { working, input_required, completed, failed, cancelled };
  void enter(Status status);

  const std::string id_;
  const std::string principal_;
  const rpc::Place place_;
  const std::uint64_t created_ms_;  // since the epoch

  mutable std::mutex mutex_;  // guards all below
  Status status_ = Status::working;
  std::uint64_t updated_ms_;
  std::string message_;
  std::string outcome_;                           // JSON text of result or error
  std::map<std::string, std::string> questions_;  // open ones: key → request
};

using TaskPtr = std::shared_ptr<Task>;

// All tasks, behind one lock. Bounded in number, time and bytes: the oldest that are over go first.
class TaskTable {
 public:
  explicit TaskTable(std::size_t bytes_max = limits::kTasksBytesMax) : bytes_max_(bytes_max) {}

  // Null if there are kTasksMax that are not over.
  TaskPtr create(std::string principal, rpc::Place place, std::uint64_t now_ms);
  // Only for the principal who made it.
  TaskPtr find(std::string_view id, std::string_view principal, std::uint64_t now_ms);
  std::size_t size() const;

 private:
  void expire(std::uint64_t now_ms);
  void shed_bytes();
  bool drop_oldest_over();

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::list<TaskPtr> by_age_;  // oldest first
  std::unordered_map<std::string_view, std::list<TaskPtr>::iterator> by_id_;
};

// Milliseconds since the epoch.
std::uint64_t wall_clock_ms();

}  // namespace collet::protocol
