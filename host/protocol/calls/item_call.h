// One call of an item from the moment it is known which: the caller's side of registry::Listener, over all rounds.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/request.h"
#include "protocol/tasks/task.h"
#include "registry/deadlines.h"
#include "registry/registry.h"
#include "registry/rounds.h"
#include "registry/sealed_state.h"

namespace collet::protocol {

class ServerLoop;

// What is called, as the method's handler has found it.
struct Target {
  const registry::Item* item = nullptr;
  registry::CallKind kind = registry::CallKind::tool;
  std::string_view uri = {};                       // of a resource that is read
  std::optional<std::string_view> arguments = {};  // JSON text
  std::string variables = {};                      // of a URI template: JSON text, or empty
};

// Owned by its loop from begin() until the call is over, whatever becomes of the client in between: a client that
// leaves or a deadline that passes ends the answer, but only the plugin ends a round that it works on.
//
// When the plugin suspends itself a modern client gets the questions and a sealed state as its answer, and the call
// is over: the next request begins another one. A legacy client is asked while its request stays open.
class ItemCall final : public registry::Listener, public transport::HttpReplyObserver {
 public:
  explicit ItemCall(ServerLoop& loop);

  // `self` is this object; it goes back to the loop, to wait for the plugin or the client, or for another call.
  void begin(RequestPtr request, const Target& target, std::unique_ptr<ItemCall> self);

  // The client asked for it, or has gone: it gets no answer. The plugin is asked to stop.
  void cancel(registry::CancelReason reason);
  // The client's answer to one of our questions: a result's JSON text, or the reason why there is none.
  void respond(const std::string& key, const Result<std::string>& result);

  std::uint64_t serial() const { return serial_; }

  void on_progress(const registry::Progress& progress) override;
  void on_log(const registry::LogMessage& message) override;
  void on_close_stream(unsigned retry_ms) override;
  void on_deadline() override;
  void on_end(registry::Ending& ending) override;
  std::optional<std::string_view> info(std::string_view key) const override;

  void on_gone() override;

 private:
  enum class Phase : std::uint8_t {
    running,  // the plugin has it
    asking,   // the client has been asked
    over,
  };

  std::optional<rpc::Error> resume();
  std::string canonical_arguments() const;
  registry::StateBinding binding(const std::string& arguments) const;
  std::optional<rpc::Error> become_task(const Target& target);
  registry::RoundParams params_for(const Target& target) const;
  bool register_id();
  void forget_id();
  void answer(const registry::Ending& ending);
  void answer_completed(const registry::Ending& ending);
  bool can_be_asked(const std::vector<registry::InputRequest>& questions);
  void ask(registry::Ending& ending);
  const json::Value* answers_beforehand() const;
  void go_on_later(registry::SuspendedState suspended);
  void go_on();
  void ask_modern(const std::vector<registry::InputRequest>& questions, registry::SuspendedState suspended);
  void ask_here(registry::Ending& ending);
  void give_up_asking();
  void fail(std::string message);
  void retire();
  void release();

  ServerLoop& loop_;
  TaskPtr task_;  // where the answer goes, if the request has been answered with a task
  RequestPtr request_;
  std::uint64_t serial_ = 0;
  Phase phase_ = Phase::running;

  registry::Rounds rounds_;
  std::size_t unsaid_ = 0;          // log messages that were left out
  std::optional<double> progress_;  // that the client has been told of last, in whatever round
  bool in_flight_ = false;          // its id is noted with its peer
  std::uint64_t timeout_ms_ = 0;

  std::unique_ptr<TaskWatch> announce_;  // tells a session of 2025-11-25 of the task's changes
  std::unique_ptr<TaskWatch> keep_;      // has a store keep the task when it is over

  struct Question {
    std::string plugin_key;
    std::string request;
    std::optional<std::string> response;
  };
  std::map<std::string, Question> asked_;  // by the key that the client knows
  registry::SuspendedState left_;          // with what the round ended in which they were asked
  registry::Deadline asked_until_{[this] { give_up_asking(); }};

  mutable std::mutex info_mutex_;  // info() is called from any thread
  struct Known {
    std::string key;
    std::optional<std::string> text;
  };
  mutable std::deque<Known> info_;  // asked for so far: few, which stay where they are
};

// Begins a call of what the handler has found. The request is answered when it ends.
void begin_call(ServerLoop& loop, RequestPtr request, const Target& target);

}  // namespace collet::protocol
