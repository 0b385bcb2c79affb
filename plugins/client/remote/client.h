// The plugin without its C table: a thread with all remotes on it, and lanes on the host's loops. Calls come from
// the host's threads; what no lane takes is posted.
#pragma once

#include <collet/plugin.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "client/auth/file_locks.h"
#include "client/auth/token_store.h"
#include "client/net/http.h"
#include "client/net/loop.h"
#include "client/offer/config.h"
#include "client/offer/host.h"
#include "client/offer/publisher.h"
#include "client/remote/lanes.h"
#include "client/remote/login.h"
#include "client/remote/remote.h"

namespace collet::client {

class Client final : private LaneListener {
 public:
  // Offers what the generation before has handed over, and begins to connect. The table is borrowed.
  Client(const collet_host* table, ClientConfig config, std::map<std::string, Known> handed_over);
  // Ends what is under way, and the remotes' children.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // [any thread] Will be ended, sooner or later.
  void call(IncomingCall call);
  // [any thread]
  void cancel(collet_call call, std::uint32_t reason);
  // [any thread] Somebody watches what is read at the URI, or nobody any more.
  void watch(std::string uri, bool on);
  // [any thread] Nothing new will come; and how long the destructor may take, roughly.
  void quiesce(std::uint64_t patience_ms);
  // [any thread] These are the remotes from now on. What is configured as before is not touched; calls of what is
  // not go on for a while. Waits for the client's thread.
  void reconfigure(ClientConfig config);
  // [any thread] A part for each remote that is to be handed over. Waits for the client's thread.
  std::vector<std::string> handover();
  bool logs_in() const { return logs_in_; }
  // [any thread] The health of all remotes: {"remotes":[…],"pending":…,"recalling":…}. Waits for the client's thread.
  std::string status();

 private:
  void run();
  void end();
  void take(ClientConfig config, const std::map<std::string, Known>& handed_over);
  void recall(Remote& remote);
  void leave(std::unique_ptr<Remote> remote);
  void place_watches();
  template <class Callback>
  auto on_thread(Callback callback);
  void dispatch(IncomingCall call);
  Remote* remote_behind(const LaneGatePtr& gate) const;
  void post_to(LaneGatePtr gate, std::function<void(Remote&)> task);
  void hand_over(HandedOver handed) override;
  void on_stray(LaneGatePtr gate, std::string text) override;
  void on_carried(LaneRequest request, std::string text) override;
  void on_carried_end(LaneRequest request, CarriedEnd end) override;
  void on_cancelled(LaneRequest request, const char* reason) override;
  void cancel_elsewhere(collet_call call, const char* reason) override;

  const Host host_;
  Loop loop_;
  std::atomic<std::uint64_t> patience_ms_{limits::kExitMs};

  // The client's thread alone, once that has begun.
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<auth::LoopFileLocks> locks_;
  std::unique_ptr<auth::TokenStore> tokens_;
  std::unique_ptr<DefinitionCache> definitions_;
  unsigned recalling_ = 0;  // remotes that have not been told yet what an earlier process knew of them
  std::unique_ptr<Children> children_;
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<Surroundings> surroundings_;
  std::vector<std::unique_ptr<Remote>> remotes_;  // in the order of the configuration
  std::vector<std::unique_ptr<Remote>> leaving_;  // until their last calls have ended
  std::set<std::string> watched_;                 // URIs, as the host bounds them
  bool logs_in_ = false;                          // from the beginning
  std::unique_ptr<Login> login_;                  // null: nobody is to log in
  std::unique_ptr<Timer> farewell_;
  bool ending_ = false;

  std::unique_ptr<Lanes> lanes_;  // set before anything is offered; null: the host has no loops for us

  std::thread thread_;
};

}  // namespace collet::client
