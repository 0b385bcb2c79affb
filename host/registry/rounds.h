// A call from the moment it is known which item it is of, whoever makes it: a plugin works on it in rounds, between which it is
// suspended, for its caller to find out what it asks. Another round may be another generation's: then the item is looked up anew.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unsent.h"
#include "registry/deadlines.h"
#include "registry/parking.h"
#include "registry/registry.h"
#include "registry/sealed_state.h"

namespace collet::registry {

// What is said to the provider. Borrowed until start() has returned, but for the principal and the view: until the end.
struct RoundParams {
  unsigned loop = 0;
  std::string_view name = {};  // of a resource the URI, of a route the path; empty: the item's own
  std::optional<std::string_view> arguments = {};  // JSON text
  std::string_view variables = {};                 // of a URI template: JSON text
  std::uint64_t timeout_ms = 0;                    // 0: none
  const PrincipalPtr* principal = nullptr;
  const View* reach = nullptr;  // nothing else may be found when the item is looked up anew; null: all that the principal sees
  unsigned depth = 0;
  WebRequestPtr web = {};
};

// Loop thread. One round at a time: start(), or start_anew(), then ended() as the first thing in the listener's on_end().
class Rounds final : private Waiter {
 public:
  // Those of the loop; borrowed.
  explicit Rounds(Deadlines& deadlines) : deadlines_(deadlines) {}
  ~Rounds() override;

  // Of whose item the next round is.
  void aim(CallKind kind, const Item& item);
  // Where it goes; the snapshot is the one that has it. on_end() may come inside. When the timeout has passed the listener's
  // on_deadline() is called, and then the plugin is asked to end the round. While the plugin is being replaced and cannot exist
  // twice the round waits, its time running, and then begins as in start_anew().
  void start(const Snapshot& snapshot, const Item& item, RoundParams params, Listener& listener);
  // So that start_anew() is possible.
  void remember(const Item& item, const RoundParams& params);
  // Starts the next round, of what is now found under the name. on_end() comes inside if that is not the same plugin's any more,
  // or does not take the arguments.
  void start_anew(const Snapshot& snapshot, Listener& listener);
  // Asks the plugin to end the round. Does nothing where none runs. One that waits ends in another turn of the loop.
  void cancel(CancelReason reason);
  void taken(std::size_t bytes);
  // Of a request whose body follows. Kept while the round waits.
  void body(std::string_view bytes, bool last);
  // The round that runs has no deadline any more. Also from inside of start().
  void lift_deadline();
  void ended();
  // Whether on_end() has come from inside of start() or start_anew(), which has not returned yet.
  bool starting() const { return starting_; }

  // The next round is the one behind this suspension.
  void take_up(SuspendedState suspended);
  // What a round leaves that has ended so; its questions are not in it.
  SuspendedState leave(Ending& ending) const;
  // To be handed out with the questions that are open, and opened by `StateSealer::open()` with the same binding.
  std::string seal(const StateSealer& sealer, SuspendedState suspended, const std::vector<InputRequest>& open,
                   const StateBinding& binding, std::uint64_t good_for_ms) const;
  // Why a result is no good, which is said in the log, too: it does not fit its tool's outputSchema.
  std::optional<std::string> misfit(const Ending& ending) const;

  // Of no call; keeps memory.
  void reset();

  CallKind kind() const { return kind_; }
  const std::string& source() const { return *source_; }  // the plugin's id; as long as the registry lives
  std::uint32_t number() const { return suspended_ ? suspended_->round + 1 : 0; }

 private:
  // What it takes to look the item up again, and to start a round of it. `params` has no texts.
  struct Kept {
    Kind item = Kind::tool;
    std::string name;  // as in Callee
    std::string arguments;
    bool has_arguments = false;
    RoundParams params;
    Unsent body;  // of a request: what has come of it while the round waited
    bool body_is_whole = false;
  };

  void hand_over(const Snapshot& snapshot, const Item& item, RoundParams& params);
  void hand_over_body();
  void start_what_is_there(const Snapshot& snapshot);
  std::optional<Ending> check(const Item* item, const RoundParams& params) const;
  void go_on(const Snapshot& snapshot) override;
  void end(Ending ending);
  void expire();

  Deadlines& deadlines_;
  CallKind kind_ = CallKind::tool;
  const std::string* source_ = nullptr;
  SchemaPtr output_;  // of a tool that promises structured content
  std::optional<SuspendedState> suspended_;  // the round before, with its answers
  std::unique_ptr<Kept> kept_;  // null: nothing is remembered, for want of memory or because nobody has asked for it
  Provider* provider_ = nullptr;  // these of the round that runs or waits; null once a waiting one was cancelled
  Listener* listener_ = nullptr;
  Listener* told_ = nullptr;  // by the provider: the listener, or who passes it on to it
  CallId id_ = 0;
  std::uint64_t timeout_ms_ = 0;  // 0: none, or lifted
  bool* over_ = nullptr;          // where whoever tells the provider something wants to know of the end
  bool starting_ = false;
  Deadline deadline_{[this] { expire(); }};
};

}  // namespace collet::registry
