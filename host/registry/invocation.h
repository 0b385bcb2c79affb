// One call by somebody who is no client of MCP, such as a plugin: its item is found as its caller sees it, its arguments and
// its result are held against their schemas, and what it asks while it is suspended is sealed and answered, round by round.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "registry/callee.h"
#include "registry/deadlines.h"
#include "registry/registry.h"
#include "registry/rounds.h"
#include "registry/sealed_state.h"

namespace collet::registry {

// What is to be called.
struct Order {
  CallKind kind = CallKind::tool;            // but for routes
  std::string name;                          // final name, or URI
  std::optional<std::string> arguments = {};  // JSON text
  std::uint64_t timeout_ms = 0;              // 0: the item's own
  std::string state = {};                    // with which the round before was suspended; empty: this is the first
  std::optional<std::string> answers = {};   // to what was asked then: JSON text, key → answer
  Kind completed = Kind::prompt;             // of a completion: what it is asked of, a prompt or a resource template
};

// Of its texts.
inline std::size_t size_of(const Order& order) {
  const auto size = [](const std::optional<std::string>& text) { return text ? text->size() : 0; };
  return order.name.size() + size(order.arguments) + order.state.size() + size(order.answers);
}

// Loop thread, but for info(), as for every listener.
class Invocation final : public Listener {
 public:
  // All three are borrowed until caller.on_end() has been called, which happens exactly once, after begin(), or until this is
  // destroyed. `deadlines` are those of the loop.
  Invocation(Order order, OnBehalf on_behalf, const StateSealer& sealer, Deadlines& deadlines, Listener& caller);

  // The call begins at what the snapshot has under that name. Its end may come inside; this is to live until it has returned,
  // too. What is asked then may be answered for limits::kInputTimeoutMs.
  void begin(const Snapshot& snapshot, unsigned loop);
  // What it is about, if only `reach` keeps that from it; or null.
  const Item* find_beyond_reach(const Snapshot& snapshot) const;
  // Asks the plugin to end it. Does nothing when it has ended.
  void cancel(CancelReason reason) { rounds_.cancel(reason); }
  // Between begin() and the end: it has no deadline any more.
  void lift_deadline() { rounds_.lift_deadline(); }

  // Between begin() and the end: how long it may take, in milliseconds.
  std::uint64_t timeout_ms() const { return timeout_ms_; }

 private:
  void on_progress(const Progress& progress) override { caller_.on_progress(progress); }
  void on_log(const LogMessage& message) override { caller_.on_log(message); }
  void on_close_stream(unsigned retry_ms) override { caller_.on_close_stream(retry_ms); }
  void on_deadline() override { caller_.on_deadline(); }
  void on_end(Ending& ending) override;
  std::optional<std::string_view> info(std::string_view key) const override { return caller_.info(key); }

  std::optional<Ending> check(const Item& item);
  std::optional<Ending> check_depth() const;
  Snapshot::Found find(const Snapshot& snapshot, const View* reach) const;
  std::optional<Ending> resume();
  void run(const Snapshot& snapshot, const Snapshot::Found& found, unsigned loop);
  std::string canonical_arguments() const;
  StateBinding binding(const std::string& arguments) const;
  std::optional<Ending> instead_of(Ending& ending) const;
  Ending suspended_with(SuspendedState left, std::vector<InputRequest> questions) const;

  const Order order_;
  const OnBehalf on_behalf_;
  const StateSealer& sealer_;
  Listener& caller_;

  Rounds rounds_;
  std::uint64_t timeout_ms_ = 0;
};

}  // namespace collet::registry
