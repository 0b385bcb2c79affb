// What one loop of the host does for remotes by itself: its connections to them, and its calls on those. On that
// loop alone, in its calls and in what collet.loop/1 runs there.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "client/mcp/request_numbers.h"
#include "client/remote/lane_call.h"

namespace collet::client {

class Lane final : public LaneConnection::Owner, public LaneCall::Owner {
 public:
  // All are borrowed.
  Lane(const Host& host, const HostLoops& loops, unsigned loop, LaneListener& listener);
  // [any thread, when the loop runs nothing of us any more]
  ~Lane();

  // Begins the call, if the gate is open; false: it is not for a lane, or there is no room.
  bool take(IncomingCall& call, LaneTarget target);
  // False: there is no such call.
  bool cancel(collet_call call, const char* reason);
  // All that go through that gate.
  void end(const LaneGatePtr& gate, const char* reason);
  // They go on at the client's thread.
  void carry(const LaneGatePtr& gate);
  // Of a call that is here and goes through that gate; of another one nothing happens.
  void tell(const LaneGatePtr& gate, RequestId request, const Message& message);
  // Likewise what answers it.
  void answer(const LaneGatePtr& gate, RequestId request, const std::string& text);
  // The stream of that link has ended, on which answers come. `last`: nothing is heard any more of what is on its way, either.
  void lose(const LaneGatePtr& gate, LinkNumber link, const std::string& why, bool last);
  // Of one that was handed over while its response comes.
  void let_go(RequestId request);
  // What has ended goes.
  void on_turn_end() override;

 private:
  bool send(LaneCall& call, const LaneRoutePtr& route, std::string request);
  bool send_line(LaneCall& call, const LaneRoutePtr& route, std::string line);
  void send_lines();
  LaneConnection* connection_to(const LaneRoutePtr& route);
  void close_rested();
  void watch_rest();

  void on_rest(LaneConnection& connection) override;
  void on_closed(LaneConnection& connection) override;
  void on_over(LaneCall& call) override;
  void on_carries(LaneCall& call) override;
  std::vector<LaneCall*> through(const LaneGatePtr& gate) const;
  LaneCall* find(const LaneGatePtr& gate, RequestId request) const;
  std::unique_ptr<LaneCall> take_out(LaneCall& call);

  // A line for a child, which goes with all others of this turn.
  struct Unsent {
    RequestId request;
    std::shared_ptr<ChildInput> input;
    std::string line;
  };
  struct Resting {
    LaneConnection* connection;
    bool long_ago;  // the timer has come by since
  };

  const Host& host_;
  const HostLoops& loops_;
  LaneListener& listener_;
  const unsigned loop_;
  RequestNumbers numbers_;
  std::unordered_map<RequestId, std::unique_ptr<LaneCall>> calls_;
  std::vector<Unsent> unsent_;
  std::unordered_map<RequestId, std::unique_ptr<LaneCall>> carrying_;
  std::vector<std::unique_ptr<LaneCall>> over_;
  std::unordered_map<LaneConnection*, std::unique_ptr<LaneConnection>> connections_;
  std::vector<std::unique_ptr<LaneConnection>> closed_;
  std::vector<Resting> resting_;  // the longest first
  collet_loop_wait timer_ = 0;
};

}  // namespace collet::client
