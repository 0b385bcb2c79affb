// A call from the moment it is known which item it is of, whoever makes it: a plugin works on it in rounds, between which it is
// suspended, for its caller to find out what it asks. Another round may be another generation's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/deadlines.h"
#include "registry/registry.h"
#include "registry/sealed_state.h"

namespace collet::registry {

// What is said to the provider. Borrowed until start() has returned, but for the principal: until the end.
struct RoundParams {
  unsigned loop = 0;
  std::string_view name = {};  // of a resource the URI, of a route the path; empty: the item's own
  std::optional<std::string_view> arguments = {};  // JSON text
  std::string_view variables = {};                 // of a URI template: JSON text
  std::uint64_t timeout_ms = 0;                    // 0: none
  const PrincipalPtr* principal = nullptr;
  unsigned depth = 0;
  WebRequestPtr web = {};
};

// Loop thread. One round at a time: start(), then ended() as the first thing in the listener's on_end().
class Rounds {
 public:
  // Those of the loop; borrowed.
  explicit Rounds(Deadlines& deadlines) : deadlines_(deadlines) {}
  Rounds(const Rounds&) = delete;
  Rounds& operator=(const Rounds&) = delete;

  // Of whose item the next round is. It is looked up anew for each: it may have been replaced.
  void aim(CallKind kind, const Item& item);
  // Where it goes; the snapshot is the one that has it. on_end() may come inside. When the timeout has passed the listener's
  // on_deadline() is called, and then the plugin is asked to end the round.
  void start(const Snapshot& snapshot, const Item& item, RoundParams params, Listener& listener);
  // Asks the plugin to end the round. Does nothing where none runs.
  void cancel(CancelReason reason);
  void taken(std::size_t bytes);
  // The round that runs has no deadline any more. Also from inside of start().
  void lift_deadline();
  void ended();
  // Whether on_end() has come from inside of start(), which has not returned yet.
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
  void expire();

  Deadlines& deadlines_;
  CallKind kind_ = CallKind::tool;
  const std::string* source_ = nullptr;
  SchemaPtr output_;  // of a tool that promises structured content
  std::optional<SuspendedState> suspended_;  // the round before, with its answers
  Provider* provider_ = nullptr;  // these four of the round that runs
  Listener* listener_ = nullptr;
  CallId id_ = 0;
  std::uint64_t timeout_ms_ = 0;  // 0: none, or lifted
  bool starting_ = false;
  Deadline deadline_{[this] { expire(); }};
};

}  // namespace collet::registry
