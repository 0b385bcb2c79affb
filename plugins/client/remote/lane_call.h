// One call on its way through a lane: it ends where it began, on a loop of the host, if its answer is one that
// needs nothing else. What does, goes on at the client's thread.
#pragma once

#include <memory>
#include <string>

#include "client/mcp/transport.h"
#include "client/net/event_stream.h"
#include "client/offer/lane_target.h"
#include "client/remote/incoming_call.h"
#include "client/remote/lane_connection.h"
#include "client/remote/lane_gate.h"

namespace collet::client {

// A call that goes on at the client's thread.
struct HandedOver {
  enum class How : std::uint8_t {
    begin,   // the remote has not acted on it
    retry,   // it may have, and the call may be repeated once
    settle,  // it has answered
  };
  IncomingCall call;
  LaneTarget target;
  How how = How::begin;
  bool shuts = false;          // the lane is of no use for now
  std::uint64_t pause_ms = 0;  // retry: not before that time is over
  RequestId request = 0;
  std::string answer;  // settle: a text that has the response to `request`
};

// Who goes on. Any thread.
class LaneListener {
 public:
  virtual void hand_over(HandedOver handed) = 0;
  // A remote has said something that is about none of its calls in lanes.
  virtual void on_stray(LaneGatePtr gate, std::string text) = 0;
  // The call, if it runs, is in no lane.
  virtual void cancel_elsewhere(collet_call call, const char* reason) = 0;

 protected:
  ~LaneListener() = default;
};

class LaneCall final : public HttpSink {
 public:
  class Owner {
   public:
    // The call has ended, or was handed over. It must not be destroyed in here.
    virtual void on_over(LaneCall& call) = 0;

   protected:
    ~Owner() = default;
  };

  // Everything but what is moved is borrowed.
  LaneCall(const Host& host, LaneListener& listener, Owner& owner, unsigned loop, IncomingCall call,
           LaneTarget target)
      : host_(host),
        listener_(listener),
        owner_(owner),
        loop_(loop),
        call_(std::move(call)),
        target_(std::move(target)) {}

  // The whole HTTP request under this number; empty: this call is not for a lane.
  std::string write_request(const LaneRoute& route, RequestId id);
  void begin(LaneConnection& connection, std::string request);
  // The host does not want an answer any more.
  void cancel(const char* reason);

  collet_call id() const { return call_.id; }
  const LaneTarget& target() const { return target_; }
  // What was not begun.
  IncomingCall give_back() { return std::move(call_); }

 private:
  void on_head(const HttpHead& head) override;
  void on_body(std::string& body) override;
  void on_end(const HttpEnd& end, std::string& body) override;

  void feed(std::string& bytes);
  void answer(std::string& body);
  void on_text(std::string_view text);
  void on_message(const Message& message, std::string_view text);
  void settle(const Message& message, std::string_view text);
  void lose(int status, std::string_view why);
  void hand_over(HandedOver::How how, bool shuts, std::string answer = {}, std::uint64_t pause_ms = 0);
  void fail(std::string_view why);
  void finish();

  const Host& host_;
  LaneListener& listener_;
  Owner& owner_;
  const unsigned loop_;
  IncomingCall call_;
  const LaneTarget target_;
  LaneRoutePtr route_;
  LaneConnection* connection_ = nullptr;  // null: it has ended
  RequestId request_ = 0;
  HttpHead head_;
  std::unique_ptr<EventStream> events_;  // if the response is a stream
  bool over_ = false;
};

}  // namespace collet::client
