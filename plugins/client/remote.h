// One remote from the configuration: connected, lost, connected again; its lists kept true; its calls under way.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "client/auth/token_store.h"
#include "client/auth/user_agent.h"
#include "client/authorizer.h"
#include "client/child.h"
#include "client/config.h"
#include "client/connection.h"
#include "client/handover.h"
#include "client/handshake.h"
#include "client/host.h"
#include "client/http.h"
#include "client/lane_call.h"
#include "client/limits.h"
#include "client/list_reader.h"
#include "client/proxy_call.h"
#include "client/publisher.h"

namespace collet::client {

// What remotes share. Everything is borrowed.
struct Surroundings {
  Loop& loop;
  const Host& host;
  HttpClient& http;
  Children& children;
  Publisher& publisher;
  auth::TokenStore& tokens;
  std::function<void()> resources_listed;  // those of some remote: whose they are may have changed
  unsigned loops;                          // of the host
  std::function<void(const LaneGatePtr&, const char* reason)> end_lane_calls;  // those that have passed it, soon
  std::string client_info;                                                     // an Implementation object
};

class Remote {
 public:
  Remote(Surroundings& surroundings, RemoteConfig config);
  ~Remote();
  Remote(const Remote&) = delete;
  Remote& operator=(const Remote&) = delete;

  // What to offer until the remote has been asked. Calls wait for the first attempt to connect. Before that.
  void assume(const Known& known);
  const Known& known() const { return known_; }
  // What it has to offer now.
  Offering offered();
  void connect();
  // It is not configured any more: offers nothing and begins nothing new. `left` is called, later, when its last
  // call has ended, of itself or because its time was over; it may destroy this.
  void leave(Task left);
  // Passes the call on, or ends it at once with the reason why it cannot.
  void call(IncomingCall call, RemoteItemPtr item);
  // A call that goes on here, and what was said besides.
  void take_over(HandedOver handed);
  void take_stray(std::string_view text);
  const LaneGatePtr& gate() const { return gate_; }
  // Whether the call comes back to one of this remote that is suspended; it goes on then.
  bool resume(IncomingCall& call);
  // The host does not wait for that call any more; false if it is none of this remote's.
  bool cancel(collet_call call, const char* reason);
  // Somebody watches the resource, or nobody any more.
  void watch(const std::string& uri, bool on);
  bool lists_resource(const std::string& uri) const;
  // Everything that is under way ends now.
  void end_calls(const char* reason);
  // Whether its first connection has neither succeeded nor failed yet.
  bool pending() const { return config_.enabled && pending_; }
  // Its health as a JSON object.
  std::string status() const;

  // For its calls.
  const RemoteConfig& config() const { return config_; }
  const Host& host() const { return around_.host; }
  Loop& loop() { return around_.loop; }
  const Peer& peer() const { return peer_; }
  bool has_headers() const { return !config_.url.empty(); }
  // Null while it is down.
  Connection* connection();
  std::string why_down() const;
  // Nothing can be reached through this connection.
  void note_unreachable(const Connection& connection, const std::string& why);
  // Begins the call once more as soon as there is a connection; fails it if that cannot be had.
  void begin_when_up(ProxyCall& call, const std::string& why);
  // Gives the call a token to be found by; false if there are too many.
  bool keep_suspended(ProxyCall& call, std::string& token);
  // The call is not used any more.
  void over(ProxyCall& call);
  // Reads the list of that kind again, soon.
  void refresh(std::uint32_t kind, std::uint64_t pause_ms = limits::kRelistMs);
  // A legacy remote sends log messages as severe as that.
  void want_logs(std::string_view level);

 private:
  enum class State : std::uint8_t { down, connecting, up };
  class Link;
  friend class Link;

  void on_up(Peer peer);
  void take_peer(Peer peer);
  void on_failed(const Handshake::Failed& failed);
  void go_down(const std::string& why);
  void retire_link();
  void read_lists();
  void read_list(std::uint32_t kind);
  void on_list(std::uint32_t kind, Result<List> list);
  void note_listed();
  void take_list(std::uint32_t kind, const List& list);
  bool leaving() const { return left_ != nullptr; }
  void open_gate();
  ProxyCall* admit(IncomingCall call, RemoteItemPtr item);
  bool has_calls() const { return !calls_.empty() || gate_->calls() > 0; }
  void note_call_ended();
  void begin_waiting();
  void fail_waiting(const std::string& why);
  void publish();
  void schedule_refresh();
  ProxyCall* whose_question(const Message& message) const;
  ProxyCall* whose_progress(const Message& message) const;
  void sweep();
  void log(std::uint32_t level, std::string_view text) const;

  Surroundings& around_;
  const RemoteConfig config_;
  State state_ = State::down;
  bool pending_ = true;
  bool old_transport_ = false;        // the url is one of HTTP with SSE (2024-11-05), or so it is tried
  std::string before_old_transport_;  // why it is
  Known known_;                       // lists that were read, the rest of the last connection
  Peer peer_;
  std::string problem_;  // why it is down
  unsigned failures_ = 0;
  std::uint64_t up_since_ms_ = 0;
  std::uint64_t next_attempt_ms_ = 0;
  auth::NoUserAgent nobody_;
  std::unique_ptr<Authorizer> authorizer_;  // made with the first connection
  std::unique_ptr<Link> link_;
  std::vector<std::unique_ptr<Link>> retired_;  // until what is under way on them has ended
  std::unique_ptr<Handshake> handshake_;
  Timer reconnect_;
  Timer sweep_;

  std::map<std::uint32_t, std::unique_ptr<ListReader>> readers_;  // by kind
  std::set<std::uint32_t> stale_;                                 // lists to read again
  std::map<std::uint32_t, unsigned> lost_lists_;                  // how often in a row, by kind
  std::optional<std::uint64_t> ttl_ms_;
  bool listed_ = false;  // all lists have been read since it was connected
  Timer relist_;
  Timer periodic_;
  std::set<std::string> watched_;

  std::shared_ptr<int> alive_ = std::make_shared<int>();  // what the gate has posted watches it by a weak_ptr
  const LaneGatePtr gate_;
  std::unordered_map<ProxyCall*, std::unique_ptr<ProxyCall>> calls_;
  std::vector<std::unique_ptr<ProxyCall>> over_;
  std::vector<ProxyCall*> waiting_;
  std::map<std::string, ProxyCall*> suspended_;  // by token
  unsigned log_severity_ = 0;                    // what a legacy remote was asked for
  Task left_;                                    // not null: it is leaving
  Timer farewell_;
};

}  // namespace collet::client
