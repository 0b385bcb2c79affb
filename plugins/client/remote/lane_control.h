// What the client's thread asks of the lanes. Any thread; the lanes do it soon, on their loops.
#pragma once

#include <functional>
#include <string>

#include "client/mcp/message.h"
#include "client/mcp/transport.h"
#include "client/offer/lane_target.h"
#include "client/remote/lane_gate.h"

namespace collet::client {

class LaneControl {
 public:
  // The calls that have gone through this gate end.
  virtual void end(const LaneGatePtr& gate, const char* reason) = 0;
  // They are handed over, with what still comes for them. `done` is called on any thread, after that.
  virtual void gather(const LaneGatePtr& gate, std::function<void()> done) = 0;
  // The remote behind that gate has said something about this request outside of its response. Nothing happens if it is another's.
  virtual void tell(const LaneGatePtr& gate, RequestId request, KeptMessage message) = 0;
  // It has answered this request there.
  virtual void answer(const LaneGatePtr& gate, RequestId request, std::string text) = 0;
  // The stream of that link, on which answers come, has ended: requests that the remote has taken will not be answered. `last`:
  // nor will those that are on their way.
  virtual void lose(const LaneGatePtr& gate, LinkNumber link, std::string why, bool last) = 0;
  // Nobody waits any more for what still comes for this request, which was handed over.
  virtual void let_go(RequestId request) = 0;

 protected:
  ~LaneControl() = default;
};

}  // namespace collet::client
