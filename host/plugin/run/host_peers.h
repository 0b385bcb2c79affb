// What a generation's plugin does with other items, where the registry is in this process.
#pragma once

#include <set>
#include <string>
#include <unordered_map>

#include "plugin/run/invocations.h"
#include "plugin/run/peers.h"

namespace collet::plugin {

class HostPeers final : public Peers, private Invocations::Maker {
 public:
  // `reach`: what it may see and call at all; null: everything. `all` is borrowed.
  HostPeers(CallTable& calls, CallOwner& owner, Answers& answers, Invocations& all, registry::ViewPtr reach);
  ~HostPeers() override;

 private:
  std::int32_t start(std::uint64_t id, LockedCall& inside_of, registry::Order order) override;
  std::int32_t start_list(std::uint64_t id, LockedCall& inside_of, ListOrder order) override;
  void stop(std::uint64_t id, registry::CancelReason reason) override;
  void start_watch() override;
  void detach() override;

  void on_progress(std::uint64_t id, const registry::Progress& progress) override;
  void on_log(CallId inside_of, const registry::LogMessage& message) override;
  void on_end(std::uint64_t id, Outcome outcome) override;
  void on_denied(const registry::Item& item) override;

  registry::OnBehalf on_behalf_of(LockedCall& call) const;

  Invocations& all_;
  const registry::ViewPtr reach_;
  const registry::PrincipalPtr own_;
  const Invocations::LinkPtr link_;

  std::mutex places_mutex_;  // guards all below
  struct Place {
    unsigned loop = 0;
    std::uint64_t serial = 0;
  };
  std::unordered_map<std::uint64_t, Place> places_;  // of what is under way
  std::uint64_t watch_ = 0;                          // the registry's number of it; 0: none
  bool detached_ = false;
  std::set<std::string> denied_;  // what has been told of
};

}  // namespace collet::plugin
