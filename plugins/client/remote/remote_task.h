// A task at a remote, from its creation to its end: the extension io.modelcontextprotocol/tasks of the modern era,
// or the core tasks of 2025-11-25.
//
// Modern: tasks/get until it is over; it brings the questions, which tasks/update answers, and the outcome.
// Legacy: tasks/result stays open until the task is over, and the questions come on its stream. From a remote that
// does not hold it open, tasks/get finds out when it is worth another try.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "client/mcp/connection.h"

namespace collet::client {

// Who waits for a task. On the client's thread.
class TaskWaiter {
 public:
  // What the task's requests say of who is behind them.
  virtual RequestOptions task_options() = 0;
  // What the call would have been answered without a task. Last.
  virtual void on_task_answer(const Answer& answer) = 0;
  // Modern: what it wants to know, an object of requests by key. It rests until RemoteTask::respond().
  virtual void on_task_questions(std::string_view requests) = 0;
  // Modern: how far it is, in its own words.
  virtual void on_task_status(const std::string& message) = 0;
  // Legacy: a question; see Asker.
  virtual bool on_task_request(const Message& request) = 0;

 protected:
  ~TaskWaiter() = default;
};

class RemoteTask final : public Asker {
 public:
  // The remote whose task it is.
  class Owner {
   public:
    virtual Loop& loop() = 0;
    // Null while it is down.
    virtual Connection* connection() = 0;
    virtual std::string why_down() const = 0;
    // Nothing can be reached through this connection.
    virtual void note_unreachable(const Connection& connection, const std::string& why) = 0;

   protected:
    ~Owner() = default;
  };

  // Both are borrowed. `task` is the Task object of the remote's answer, of which it must have the taskId. Begins
  // at once.
  RemoteTask(Owner& remote, TaskWaiter& waiter, Era era, std::string_view task);
  ~RemoteTask();

  const std::string& id() const { return id_; }
  // The answers to its questions, an object of results by key. What it asked and is not answered is asked again.
  void respond(std::string_view responses);
  // Nobody waits for it any more, and the remote is told. The waiter is not called again.
  void cancel();

 private:
  void poll();
  void fetch();
  void update();
  void tell_cancelled();
  void request(std::string_view method, std::string_view more = {});
  void on_answer(const Answer& answer) override;
  bool on_request(const Message& message) override { return waiter_.on_task_request(message); }
  void note_interval(std::string_view task);
  void take(std::string_view task);
  void take_questions(std::string_view task);
  void lost(const Lost& lost);
  void finish(const Answer& answer);
  void later(std::uint64_t least_ms = 0);

  enum class Asked : std::uint8_t { state, outcome, acknowledgement };

  Owner& remote_;
  TaskWaiter& waiter_;
  const Era era_;
  const std::string id_;
  Timer timer_;
  Connection* connection_ = nullptr;  // of the request under way; the remote keeps it as long
  RequestId request_ = 0;
  Asked asked_ = Asked::state;
  std::uint64_t interval_ms_;
  std::string status_message_;
  std::set<std::string> answered_;  // keys
  std::string responses_;           // members: what the remote has not acknowledged yet
  unsigned lost_ = 0;               // in a row
  bool refused_ = false;            // legacy: an early tasks/result was
  bool known_over_ = false;         // legacy: the next tasks/result has the outcome
  bool over_ = false;
};

}  // namespace collet::client
