// One connection of a remote, from the attempt until the last answer has come through it.
#pragma once

#include <memory>

#include "client/mcp/sse_transport.h"
#include "client/mcp/streamable_transport.h"
#include "client/remote/remote.h"

namespace collet::client {

class Remote::Link final : public ConnectionListener, public Asker {
 public:
  Link(Remote& remote, LinkNumber number)
      : remote_(remote),
        number_(number),
        connection_(remote.around_.loop, remote.around_.client_info, *this),
        pause_(remote.around_.loop) {}

  // Makes its transport, through which the remote shakes hands, now or later; a failure says why there is none.
  Result<void> open();
  Connection& connection() { return connection_; }
  LinkNumber number() const { return number_; }
  // Whether anything is under way, here or in lanes.
  bool in_use() const { return connection_.in_flight() > 0 || used_.use_count() > 1; }
  // Opens the channel on which the remote tells of changes. Again: with what is watched now.
  void listen();
  void watch(const std::string& uri, bool on);
  // Whether the remote tells of changes of its lists.
  bool hears() const { return hears_; }
  // For calls that are made without this connection; null: there are none.
  LaneRoutePtr lane_route();
  // Whether new connections need another route, since files of its TLS have changed.
  bool lane_is_old() const { return lane_tls_ && lane_tls_->is_old(); }
  // A call whose response comes by a lane; and what comes.
  void adopt(ProxyCall& call, RequestId request);
  void take_carried(RequestId request, std::string_view text) { http_->carried(request, text); }
  void take_carried_end(RequestId request, const CarriedEnd& end);

 private:
  void on_notification(const Message& message) override;
  bool on_request(const Message& message) override;
  void on_answer_elsewhere(RequestId id, std::string_view text) override;
  bool on_unclear_answer(std::string_view text) override;
  void on_garbage(const std::string& what) override;
  void on_unreachable(const std::string& reason) override;
  void on_down(const std::string& reason) override;
  void on_answer(const Answer& answer) override;  // of subscriptions/listen

  Result<std::unique_ptr<Transport>> make_transport();
  Result<std::unique_ptr<Transport>> start_command();
  Result<std::unique_ptr<Transport>> make_http(HttpSettings settings);
  // Where requests of lanes go, and what they all have; nothing while that is not known.
  struct LaneAddress {
    std::string url;
    PeerAddress peer;
    Sender sender;
  };
  std::optional<LaneAddress> lane_address() const;
  std::shared_ptr<LaneRoute> http_route();
  TlsContextPtr lane_tls(const LaneAddress& to);
  void on_started();
  void look_again();
  bool has_calls_in_lanes() const { return gathering_ > 0 || remote_.gate_->calls() > 0; }
  void gather(Task then);
  void lose_lanes(const std::string& reason, bool last);
  bool is_of_lanes(const Message& message, bool (Link::*then)(const Message&));
  bool say_log(const Message& message);
  bool ask(const Message& message);

  Remote& remote_;
  const LinkNumber number_;
  Connection connection_;
  // The connection's transport, whichever it is. Answers come by responses of http_, and by the one stream of any other.
  StreamableTransport* http_ = nullptr;
  SseTransport* sse_ = nullptr;
  std::shared_ptr<ChildInput> input_;
  std::optional<std::string> gone_;  // why the connection is
  const std::shared_ptr<const int> used_ = std::make_shared<const int>();  // shared with the routes of lanes
  const std::shared_ptr<const int> alive_ = std::make_shared<const int>();  // callbacks of others watch it by a weak_ptr
  unsigned gathering_ = 0;     // messages that wait for the calls that are in lanes
  bool speaks_aside_ = false;  // outside of responses, of what may be about a call
  bool gathered_ = false;      // what could not be told whom it is for is read again
  TlsPtr tls_;                 // of http_ and sse_
  TlsContextPtr lane_tls_;
  Timer pause_;                                // before it listens again
  RequestId listen_ = 0;
  unsigned listen_failures_ = 0;
  unsigned garbage_ = 0;
  bool hears_ = false;
};

}  // namespace collet::client
