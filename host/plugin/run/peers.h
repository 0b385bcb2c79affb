// What a generation's plugin does with items that are not its own: it invokes them, lists them and hears when they change
// (collet.tools.draft/1, collet.registry.draft/1). Where the registry is, here or in the host of a worker, is for those to
// know who derive from this.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "plugin/run/answers.h"
#include "plugin/run/call_table.h"
#include "registry/invocation.h"

namespace collet::plugin {

// How an invocation has ended; see collet_outcome.
struct Outcome {
  std::uint64_t id = 0;  // these three as it was begun
  CallId inside_of = 0;
  CallKind kind = CallKind::tool;
  registry::Ending::How how = registry::Ending::How::completed;
  bool is_error = false;
  int rpc_code = 0;
  std::string result;  // JSON text
  std::string message;
  std::string data;  // JSON text, or empty
  std::string state;
  std::vector<registry::InputRequest> questions;

  static Outcome failed(std::string message);
};

// What is to be listed; see collet_list_params.
struct ListOrder {
  registry::Kind kind = registry::Kind::tool;
  std::optional<std::string> after;
  std::uint32_t items_max = 0;
  std::optional<std::vector<std::string>> names;
};

// Any thread where nothing else is said. The functions of the ABI return its status codes.
class Peers {
 public:
  // All run on the thread of the answers.
  using Ended = Callback<void(const Outcome&)>;
  using Progressed = Callback<void(const registry::Progress&)>;
  using Listed = Callback<void(std::int32_t status, std::string_view json)>;
  using Changed = Callback<void(std::uint64_t revision, unsigned kinds)>;  // 1 << registry::Kind

  // All are borrowed, and outlive this.
  Peers(CallTable& calls, CallOwner& owner, Answers& answers) : calls_(calls), owner_(owner), answers_(answers) {}
  virtual ~Peers() = default;  // after the answers have been closed
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  std::int32_t invoke(CallId inside_of, registry::Order order, Ended ended, Progressed progressed, std::uint64_t& id);
  std::int32_t cancel(std::uint64_t id);
  std::int32_t list(CallId inside_of, ListOrder order, Listed listed);
  // Told of changes of these kinds. When this has returned an earlier one is not called any more, unless it is this that calls.
  std::int32_t watch(unsigned kinds, Changed changed);

  // create() has returned: there may be invocations and lists.
  void open();
  // What was begun inside of that call is cancelled.
  void cancel_inside(CallId call, registry::CancelReason reason);
  // Nothing new begins, and the plugin is told that what is under way has ended.
  void end_all();

 protected:
  // Tells the plugin; of what has ended it says nothing.
  void tell_progress(std::uint64_t id, double done, double total, std::string_view message);
  void tell_end(std::uint64_t id, Outcome outcome);
  void tell_listed(std::uint64_t id, std::int32_t status, std::string json);
  // [answers] The same at once.
  void hand_over(std::uint64_t id, const std::string& json);
  void tell_changed(std::uint64_t revision, unsigned kinds);

  Answers& answers() { return answers_; }
  CallTable& calls() const { return calls_; }
  CallOwner& owner() const { return owner_; }

 private:
  // `inside_of` is locked, and empty for the plugin itself. OK promises that tell_end() or tell_listed() follows.
  virtual std::int32_t start(std::uint64_t id, LockedCall& inside_of, registry::Order order) = 0;
  virtual std::int32_t start_list(std::uint64_t id, LockedCall& inside_of, ListOrder order) = 0;
  virtual void stop(std::uint64_t id, registry::CancelReason reason) = 0;
  virtual void start_watch() = 0;  // once
  // When this has returned nothing is told any more.
  virtual void detach() = 0;

  // What the plugin waits for. The callbacks belong to their thread.
  struct Open {
    CallId inside_of = 0;
    CallKind kind = CallKind::tool;
    Ended ended;  // of an invocation
    Progressed progressed;
    Listed listed;  // of a list
    Outcome outcome = {};
    bool cancelled = false;  // guarded by mutex_
    // Guarded by mutex_.
    struct Latest {
      double done, total;
      std::string message;
    };
    std::optional<Latest> latest;  // progress that waits to be told
  };
  using OpenPtr = std::shared_ptr<Open>;  // shared by the table and what is to be told

  template <class Start>
  std::int32_t begin(CallId inside_of, OpenPtr open, std::uint64_t& id, Start&& start);
  OpenPtr take(std::uint64_t id);
  void tell_watcher();

  CallTable& calls_;
  CallOwner& owner_;
  Answers& answers_;

  std::mutex mutex_;  // guards all below; taken after a call's
  std::condition_variable watcher_returned_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, OpenPtr> open_;
  bool created_ = false;
  bool closed_ = false;   // nothing new begins
  bool watching_ = false;
  std::shared_ptr<Changed> watcher_;
  unsigned watched_kinds_ = 0;
  bool watcher_runs_ = false;
  std::uint64_t revision_ = 0;  // that the watcher is to be told of, of these kinds; 0: none
  unsigned changed_kinds_ = 0;
};

}  // namespace collet::plugin
