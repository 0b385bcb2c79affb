// The requests to plugins' routes that run on one loop. Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include "loop/loop.h"
#include "protocol/http/route_call.h"
#include "protocol/lists/loop_catalog.h"
#include "registry/deadlines.h"
#include "registry/item.h"
#include "transport/http.h"

namespace collet::protocol {

class RouteCalls {
 public:
  // `loop`, `catalog` and `deadlines` outlive it. `timeout_ms` is for routes that say no time of their own.
  RouteCalls(loop::Loop& loop, unsigned index, const LoopCatalog& catalog, registry::Deadlines& deadlines,
             std::uint64_t timeout_ms)
      : loop_(loop), index_(index), catalog_(catalog), deadlines_(deadlines), timeout_ms_(timeout_ms) {}

  // Answers the request by a call of the route; `path` is what is asked for below its plugin's.
  void begin(const registry::Item& route, std::string_view path, registry::WebRequestPtr request,
             transport::HttpReply& reply, RouteVisit visit);
  // Asks all calls to end.
  void cancel_all(registry::CancelReason reason);
  // Asks those to end that answer with an event stream. The stream ends when the plugin, which hears of it, ends its call.
  void end_streams();

  // What a call needs to know of its loop.
  loop::Loop& loop() { return loop_; }
  unsigned index() const { return index_; }
  const registry::Snapshot& snapshot() const { return catalog_.snapshot(); }
  registry::Deadlines& deadlines() { return deadlines_; }
  // Whether a stream that begins now is to end, too.
  bool ends_streams() const { return ends_streams_; }
  // What the call of that number has to say leaves now, if it still runs.
  void flush(std::uint64_t serial);
  // Destroys the call.
  void end(std::uint64_t serial) { running_.erase(serial); }

 private:
  loop::Loop& loop_;
  const unsigned index_;
  const LoopCatalog& catalog_;
  registry::Deadlines& deadlines_;
  const std::uint64_t timeout_ms_;
  std::map<std::uint64_t, std::unique_ptr<RouteCall>> running_;  // by serial
  std::uint64_t last_serial_ = 0;
  bool ends_streams_ = false;
};

}  // namespace collet::protocol
