// One remote from the configuration: connected, lost, connected again. What it lists is published, calls are passed on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "client/auth/budget.h"
#include "client/auth/token_store.h"
#include "client/auth/user_agent.h"
#include "client/limits.h"
#include "client/mcp/connection.h"
#include "client/mcp/handshake.h"
#include "client/mcp/last_lines.h"
#include "client/net/authorizer.h"
#include "client/net/child.h"
#include "client/net/http.h"
#include "client/offer/config.h"
#include "client/offer/definition_cache.h"
#include "client/offer/handover.h"
#include "client/offer/host.h"
#include "client/offer/publisher.h"
#include "client/remote/lane_call.h"
#include "client/remote/lane_control.h"
#include "client/remote/reconnection.h"
#include "client/remote/remote_calls.h"
#include "client/remote/remote_lists.h"

namespace collet::client {

// What remotes share. Everything is borrowed.
struct Surroundings {
  Loop& loop;
  const Host& host;
  HttpClient& http;
  Children& children;
  Publisher& publisher;
  auth::TokenStore& tokens;
  DefinitionCache& definitions;
  std::function<void()> resources_listed;  // those of some remote: whose they are may have changed
  unsigned loops;           // of the host
  LaneControl* lanes;       // null: there are none
  std::string client_info;  // an Implementation object
  bool shows_stderr;        // of children, as warnings
};

class Remote final : public ProxyCall::Owner, private RemoteLists::Owner {
 public:
  Remote(Surroundings& surroundings, RemoteConfig config);
  ~Remote();
  Remote(const Remote&) = delete;
  Remote& operator=(const Remote&) = delete;

  // What to offer until the remote has been asked. Calls wait for the first attempt to connect. Before that.
  void assume(const Known& known);
  const Known& known() const { return known_; }
  // Likewise what an earlier process has been offered, if that is known, and it has not been up by then. `done` is called once, later,
  // with this being there or gone.
  void recall(Task done);
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
  void take_carried(const LaneRequest& request, std::string_view text);
  void take_carried_end(const LaneRequest& request, const CarriedEnd& end);
  void take_cancelled(const LaneRequest& request, const char* reason);
  const LaneGatePtr& gate() const { return gate_; }
  RemoteCalls& calls() { return calls_; }
  // Somebody watches the resource, or nobody any more.
  void watch(const std::string& uri, bool on);
  bool lists_resource(const std::string& uri) const;
  // Everything that is under way ends now.
  void end_calls(const char* reason);
  // Whether nothing is known of it, as its first connection has neither succeeded nor failed yet.
  bool pending() const { return config_.enabled && pending_ && !recalled_; }
  // Its health as a JSON object.
  std::string status() const;

  // For its calls.
  const RemoteConfig& config() const override { return config_; }
  const Host& host() const override { return around_.host; }
  Loop& loop() override { return around_.loop; }
  const Peer& peer() const override { return peer_; }
  Connection* connection() override;
  std::string why_down() const override;
  void note_unreachable(const Connection& connection, const std::string& why) override;
  void begin_when_up(ProxyCall& call, const std::string& why) override;
  std::string without_secrets(std::string text) const override;

 private:
  enum class State : std::uint8_t { down, connecting, up };
  class Link;
  friend class Link;

  void shake_hands();
  void on_up(Peer peer);
  void take_peer(Peer peer);
  void on_failed(const Handshake::Failed& failed);
  void on_link_down(const std::string& reason);
  bool start_without_probe(const std::string& why);
  void say_starting();
  void note_error_line(std::string_view line);
  void go_down(const std::string& why, std::uint64_t pause_ms_min = 0);
  void retire_link();
  void read_lists();
  void on_list(const ListKind& kind, const List& list) override;
  void on_unread(const std::string& why) override;
  void on_unreachable(const std::string& why) override;
  void on_reading_over(bool last) override;
  void note_listed();
  void refuse();
  bool keep_suspended(ProxyCall& call, std::string& token) override { return calls_.keep_suspended(call, token); }
  void on_over(ProxyCall& call) override { calls_.over(call); }
  void refresh_tools() override { lists_.refresh(COLLET_TOOL); }
  void note_answer() override;
  void want_logs(std::string_view level) override;
  bool leaving() const { return left_ != nullptr; }
  void open_gate();
  Link* find_link(LinkNumber number) const;
  void reopen_gate();
  std::vector<std::string> secrets() const;
  ProxyCall* admit(IncomingCall call, RemoteItemPtr item);
  bool has_headers() const { return !config_.url.empty(); }
  bool has_calls() const { return calls_.size() > 0 || gate_->calls() > 0; }
  void note_call_ended();
  void publish();
  ProxyCall* whose_log() const;
  void sweep();
  void log(std::uint32_t level, std::string_view text) const;

  Surroundings& around_;
  const RemoteConfig config_;
  State state_ = State::down;
  bool pending_ = true;    // its first connection has neither succeeded nor failed yet
  bool was_up_ = false;
  bool recalled_ = false;  // what it offers is what an earlier process knew
  bool skips_probe_ = false;  // its child has ended at server/discover, or did not go on after it
  LastLines last_lines_;
  bool old_transport_ = false;        // the url is one of HTTP with SSE (2024-11-05), or so it is tried
  std::string before_old_transport_;  // why it is
  Known known_;                       // lists that were read, the rest of the last connection
  Peer peer_;
  std::string problem_;  // why it is down
  Reconnection reconnection_{config_.restart_timeout_ms};
  std::uint64_t began_ms_ = 0;  // the attempt to connect
  auth::NoUserAgent nobody_;
  std::unique_ptr<Authorizer> authorizer_;  // made with the first connection
  LinkNumber links_ = 0;  // that there have been
  std::unique_ptr<Link> link_;
  std::vector<std::unique_ptr<Link>> retired_;  // until what is under way on them has ended
  std::unique_ptr<Handshake> handshake_;
  Timer reconnect_;
  Timer starting_;
  Timer sweep_;

  RemoteLists lists_;
  bool listed_ = false;  // all lists have been read since it was connected
  std::set<std::string> watched_;

  std::shared_ptr<int> alive_ = std::make_shared<int>();  // what the gate has posted watches it by a weak_ptr
  const LaneGatePtr gate_;
  bool gate_lost_ = false;  // a call in a lane had it shut
  auth::Budget reopenings_{limits::kLaneReopeningsMax, limits::kLaneReopeningsS};
  RemoteCalls calls_;
  unsigned log_rank_ = 0;                        // what a legacy remote was asked for
  Task left_;                                    // not null: it is leaving
  Timer farewell_;
};

}  // namespace collet::client
