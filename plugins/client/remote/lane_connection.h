// One kept connection of a host's loop to a remote: HTTP/1.1, in plain or under TLS, one request after the other. On its
// loop alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <collet/kit/descriptor.hpp>

#include "client/net/byte_stream.h"
#include "client/net/http.h"
#include "client/net/response_reader.h"
#include "client/offer/host_loops.h"
#include "client/remote/lane_gate.h"

namespace collet::client {

class LaneConnection {
 public:
  // Its owner. It must not be destroyed in these calls.
  class Owner {
   public:
    // Nobody waits for it: it is free, or will be when its response has come to its end.
    virtual void on_rest(LaneConnection& connection) = 0;
    // It can carry nothing any more.
    virtual void on_closed(LaneConnection& connection) = 0;
    // After everything that the loop has called us for.
    virtual void on_turn_end() = 0;

   protected:
    ~Owner() = default;
  };

  // `loops` and `owner` are borrowed.
  LaneConnection(const HostLoops& loops, LaneRoutePtr route, Owner& owner)
      : loops_(loops), owner_(owner), route_(std::move(route)) {}
  ~LaneConnection() { release(); }
  LaneConnection(const LaneConnection&) = delete;
  LaneConnection& operator=(const LaneConnection&) = delete;

  // Sends a request, connected or not yet; only when free. `sink` is borrowed until on_end(), detach() or close(),
  // and may be told of the end in here.
  void carry(std::string request, HttpSink& sink);
  // Nobody waits any more; the response may come to its end.
  void detach();
  void close();

  const LaneRoutePtr& route() const { return route_; }
  bool free() const { return state_ == State::free; }
  // Whether it has carried an answer before the request that it carries, or has lost.
  bool kept() const { return kept_; }
  // Whether a free connection still stands, as far as one can know.
  bool stands();

 private:
  enum class State : std::uint8_t { unconnected, connecting, opening, busy, free, closed };

  void connect();
  void on_ready(std::uint32_t events);
  void on_connected();
  void open();
  void begin();
  void write();
  void read();
  void take(std::string_view bytes);
  void on_whole(bool nothing_more);
  void lose(std::string message, bool sent);
  void release();
  void stop_timer();
  void watch();
  bool unsent() const { return sent_ < request_.size(); }
  bool may_have_been_read() const;

  const HostLoops& loops_;
  Owner& owner_;
  const LaneRoutePtr route_;
  State state_ = State::unconnected;
  kit::Descriptor descriptor_;
  std::unique_ptr<ByteStream> stream_;  // over the descriptor, once that is connected
  collet_loop_wait watch_ = 0;
  std::uint32_t watched_ = COLLET_LOOP_WRITABLE;
  collet_loop_wait timer_ = 0;  // until the stream is open
  HttpSink* sink_ = nullptr;
  std::string request_;
  std::size_t sent_ = 0;         // of the request
  std::size_t sent_before_ = 0;  // what the socket had taken when the request began
  bool kept_ = false;
  bool head_told_ = false;
  ResponseReader reader_;
};

}  // namespace collet::client
