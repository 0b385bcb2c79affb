// subscriptions/listen of the modern era: a stream of what the client asked to be told (2026-07-28,
// basic/patterns/subscriptions).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/held_open.h"
#include "protocol/lists/watches.h"
#include "protocol/request.h"
#include "protocol/tasks/task.h"
#include "registry/item.h"

namespace collet::protocol {

class ServerLoop;

// What a client wants to hear of.
struct NotificationFilter {
  unsigned lists = 0;  // 1 << registry::Kind
  struct Uri {
    std::string asked;  // as the client spells it
    std::string known;  // as its plugin knows it
  };
  std::map<std::string, Uri, std::less<>> uris;  // by their normal spelling
  std::vector<TaskPtr> tasks;
};

// Until the client cancels it or leaves, or the server ends it.
class Subscription final : public HeldOpen {
 public:
  // Acknowledges. Nothing of `request` is kept but its id and the way back.
  Subscription(ServerLoop& loop, std::uint64_t serial, Request& request, NotificationFilter filter);
  ~Subscription() override;
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  // Tells of the tasks that have changed since it last did.
  void look() override;
  // Nothing more is sent.
  void cancel() override;
  bool is_endless() const override { return true; }
  void list_changed(const mcp::ChangingList& list, bool several) override;
  void resource_updated(std::string_view key) override;
  bool is_subscription_of(std::string_view principal) const override {
    return principal.empty() || registry::id_of(principal_) == principal;
  }

  void on_gone() override;

 private:
  void notify(std::string_view method, std::string_view params);
  bool note_list(registry::Kind kind);
  std::string meta() const;

  ServerLoop& loop_;
  const std::uint64_t serial_;
  const registry::PrincipalPtr principal_;
  const NotificationFilter filter_;
  std::size_t lists_[registry::kListedKinds] = {};  // what its client knows of them, if it has a view
  std::vector<Watch> watches_;
  struct WatchedTask {
    std::unique_ptr<TaskWatch> watch;
    std::uint64_t told;  // the revision that the client knows
  };
  std::vector<WatchedTask> tasks_;
  rpc::InFlight* in_flight_;
  HttpOutlet http_;
  rpc::Exchange exchange_;
};

}  // namespace collet::protocol
