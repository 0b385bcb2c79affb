// The calls that plugins make, on the loops where they run, over all generations: an invocation outlives the generation that
// has made it if its plugin does not end it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "plugin/abi/caller_info.h"
#include "plugin/run/call_table.h"
#include "plugin/run/peers.h"
#include "registry/deadlines.h"
#include "registry/invocation.h"
#include "registry/registry.h"
#include "registry/sealed_state.h"

namespace collet::plugin {

class Invocations {
 public:
  // Who is told, on the loop of the invocation.
  class Maker {
   public:
    virtual ~Maker() = default;
    virtual void on_progress(std::uint64_t id, const registry::Progress& progress) = 0;
    virtual void on_log(CallId inside_of, const registry::LogMessage& message) = 0;
    virtual void on_end(std::uint64_t id, Outcome outcome) = 0;
    // The item is there for whoever it is called for, and beyond the maker's reach.
    virtual void on_denied(const registry::Item& item) = 0;
  };
  // The way to a maker that may be gone. Shared by it and what it has made.
  struct Link {
    std::mutex mutex;
    Maker* maker = nullptr;  // guarded by it, also while the maker is told
    // What has been made and has not ended, whether the maker waits for it or not.
    std::atomic<unsigned> running{0};
    std::atomic<std::size_t> bytes{0};
  };
  using LinkPtr = std::shared_ptr<Link>;

  // One that is to be made.
  struct Ordered {
    LinkPtr link;
    std::uint64_t id = 0;  // the maker's
    CallId inside_of = 0;
    registry::Order order;
    registry::OnBehalf on_behalf;
    CallerInfo caller;
  };

  // `calls` and `registry` are borrowed. Outlives the loops, or ends before they run. States of suspended calls are sealed with
  // these keys (registry::StateSealer).
  Invocations(CallTable& calls, registry::Registry& registry, std::vector<registry::StateSealer::Key> state_keys = {});
  ~Invocations();
  Invocations(const Invocations&) = delete;
  Invocations& operator=(const Invocations&) = delete;

  registry::Registry& registry() const { return registry_; }

  // [any] Begins it on that loop. Returns the number by which it is stopped there.
  std::uint64_t start(unsigned loop, Ordered ordered);
  // [any]
  void stop(unsigned loop, std::uint64_t serial, registry::CancelReason reason);
  // [any] One loop after the other.
  unsigned next_loop();
  // Of several loops the one that accepts nobody.
  unsigned last_loop() const { return static_cast<unsigned>(lanes_.size()) - 1; }

 private:
  class Running;
  // Loop thread.
  struct Lane {
    std::optional<registry::Deadlines> deadlines;  // from the first invocation on: made on the loop that it belongs to
    std::unordered_map<std::uint64_t, std::unique_ptr<Running>> running;
  };
  void forget(unsigned loop, std::uint64_t serial);

  CallTable& calls_;
  registry::Registry& registry_;
  const registry::StateSealer sealer_;
  std::vector<Lane> lanes_;
  std::atomic<std::uint64_t> last_serial_{0};
  std::atomic<unsigned> turn_{0};
};

}  // namespace collet::plugin
