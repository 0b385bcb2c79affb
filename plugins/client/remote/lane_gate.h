// Whether calls of one remote may go straight from the host's loops to it, and how. The client's thread opens and
// shuts it; loops pass.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "client/auth/auth.h"
#include "client/mcp/http_message.h"
#include "client/net/authorizer.h"
#include "client/net/child_input.h"
#include "client/net/tls_context.h"
#include "client/offer/config.h"
#include "client/offer/lane_target.h"
#include "client/remote/incoming_call.h"

namespace collet::client {

using LinkNumber = std::uint64_t;

// What a loop has to know of a remote that is connected: over HTTP/1.1, whose requests all have the same authorization, or none;
// or a child's stdin.
struct LaneRoute {
  RemoteConfig config;
  std::shared_ptr<ChildInput> input;  // null: HTTP
  bool answers_aside = false;  // on the remote's one stream, which the client's thread reads
  sockaddr_storage address = {};
  socklen_t address_size = 0;
  TlsContextPtr tls;     // null: none
  std::string preamble;  // of each request: its first line and the headers that HTTP wants
  Sender sender;
  std::string stamp;                 // Connection::stamp()
  bool may_challenge = false;        // 401 and 403 are for the client's thread
  std::int64_t good_until = 0;       // in seconds since 1970: no call takes it any more; 0: always
  std::vector<std::string> secrets;  // what the remote's own words must not tell others
  std::uint64_t opening = 0;         // of the gate, by which it has come into use
  LinkNumber link = 0;
  std::shared_ptr<const void> link_used;  // the link stays as long
  unsigned log_rank = kLogRankMax;        // who wants to hear more of the remote's log goes by the client's thread

  // Whether what the remote says of a call to its log comes on no stream of the call.
  bool logs_aside() const { return sender.era == Era::legacy || answers_aside; }
  std::string without_secrets(std::string text) const;
};
using LaneRoutePtr = std::shared_ptr<const LaneRoute>;

// The route to a URL, with what is known before the remote has said anything; null if libcurl is to do it. `tls` is for
// an https URL, which has no route without.
std::shared_ptr<LaneRoute> make_route(const RemoteConfig& config, const std::string& url,
                                      const PeerAddress& address, const std::string& user_agent,
                                      TlsContextPtr tls = nullptr);

// Has every request on the route carry what the remote's authorizer gives. False: callers may send headers of the same
// names.
bool authorize(LaneRoute& route, const LastingHeaders& given);

// Each loop has a part of its own, so that loops do not wait for each other.
class LaneGate {
 public:
  // `emptied` is called, on any thread, when the last call of a loop ends after the gate was shut.
  LaneGate(unsigned loops, std::function<void()> emptied, auth::Clock clock = auth::system_time)
      : emptied_(std::move(emptied)), clock_(std::move(clock)), parts_(loops) {}

  void open(LaneRoutePtr route);
  void shut() { open(nullptr); }
  // Because of a call whose route had this number. False: the gate was shut or opened anew since then, and stays as it is.
  bool shut_after(std::uint64_t opening);
  // [any thread] A call of that loop is to pass; null: it may not. Otherwise leave() when it has ended.
  LaneRoutePtr enter(unsigned loop);
  void leave(unsigned loop);
  // [any thread] How many calls have entered and not left.
  unsigned calls() const;

 private:
  struct alignas(64) Part {
    mutable std::mutex mutex;  // guards all below
    LaneRoutePtr route;
    unsigned calls = 0;
  };

  const std::function<void()> emptied_;
  const auth::Clock clock_;
  std::uint64_t openings_ = 0;  // the client's thread's
  std::vector<Part> parts_;     // by loop
};

}  // namespace collet::client
