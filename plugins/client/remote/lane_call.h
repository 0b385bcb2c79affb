// One call on its way through a lane: it ends where it began, on a loop of the host, if its answer is one that
// needs nothing else. What does, goes on at the client's thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "client/mcp/streamable_transport.h"
#include "client/mcp/transport.h"
#include "client/net/event_stream.h"
#include "client/offer/lane_target.h"
#include "client/remote/incoming_call.h"
#include "client/remote/lane_connection.h"
#include "client/remote/lane_gate.h"

namespace collet::client {

// A request that a lane has sent.
struct LaneRequest {
  LaneGatePtr gate;
  LinkNumber link = 0;  // whose session it is in
  RequestId id = 0;
  std::shared_ptr<std::atomic<std::size_t>> unheard = {};  // of one that is carried: bytes on their way to the client's thread
};

// A call that goes on at the client's thread.
struct HandedOver {
  enum class How : std::uint8_t {
    begin,   // the remote has not acted on it
    lose,    // it will not be answered
    settle,  // it has answered
    carry,   // the rest of its response goes on coming by the lane
  };
  IncomingCall call;
  RemoteItemPtr item;
  LaneRequest request;
  How how = How::begin;
  bool shuts = false;  // the lane is of no use for now
  std::uint64_t opening = 0;  // LaneRoute::opening
  Era era = Era::modern;
  Lost lost;           // lose: why
  std::string answer;  // settle: a text that has the response
};

// Who goes on. Any thread.
class LaneListener {
 public:
  virtual void hand_over(HandedOver handed) = 0;
  // A remote has said something that is about none of its calls in lanes.
  virtual void on_stray(LaneGatePtr gate, std::string text) = 0;
  // Of a call that was handed over: a message that has come with its response, and that the response has ended. Last.
  virtual void on_carried(LaneRequest request, std::string text) = 0;
  virtual void on_carried_end(LaneRequest request, CarriedEnd end) = 0;
  // Legacy: nobody waits for the answer any more, which the remote is to be told.
  virtual void on_cancelled(LaneRequest request, const char* reason) = 0;
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
    // It was handed over while its response comes, which it passes on until on_over().
    virtual void on_carries(LaneCall& call) = 0;

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

  // All that is sent under this number, as an HTTP request or a line; empty: this call is not for a lane.
  std::string write_request(const LaneRoute& route, RequestId id);
  void begin(LaneConnection& connection, std::string request);
  // The request has been sent by that route.
  void begin(LaneRoutePtr route) { route_ = std::move(route); }
  // It could not be sent after all.
  void begin_elsewhere();
  // Of one that is answered aside: with this text, or not any more. `last`: though it is on its way yet.
  void take_answer(const std::string& text);
  void lose_stream(const std::string& why, bool last);
  // The host does not want an answer any more.
  void cancel(const char* reason);
  // It goes on at the client's thread, with what still comes for it.
  void carry_on();
  // Nobody waits any more for what it carries.
  void let_go();

  collet_call id() const { return call_.id; }
  RequestId request() const { return request_; }
  const LaneTarget& target() const { return target_; }
  bool is_of(LinkNumber link) const { return route_->link == link; }
  // What was not begun.
  IncomingCall give_back() { return std::move(call_); }

 private:
  void on_head(const HttpHead& head) override;
  void on_body(std::string& body) override;
  void on_end(const HttpEnd& end, std::string& body) override;

  template <class Body>
  void or_lose(Body&& body);
  void take_end(const HttpEnd& end, std::string& body);
  void feed(std::string& bytes);
  bool challenged() const;
  void on_posted(const HttpEnd& end, const std::string& body);
  bool refuse(const std::string& body);
  void answer(std::string& body);
  void on_text(std::string_view text);
  void on_message(const Message& message, std::string_view text);
  void settle(const Message& message, std::string_view text);
  void on_stream_end(const HttpEnd& end);
  void end_carrying(const HttpEnd& end, bool may_resume);
  void drop_connection();
  bool is_legacy() const { return route_->sender.era == Era::legacy; }
  LaneRequest as_request() const { return {target_.gate, route_->link, request_, unheard_}; }
  void carry();
  void say_carried(std::string_view text);
  void lose(int status, std::string_view why);
  void lose(Lost lost);
  void hand_over(HandedOver handed);
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
  bool carries_ = false;  // the call was handed over, and the response has not ended
  std::string why_lost_;  // the stream of its answer has ended; empty: it has not
  std::shared_ptr<std::atomic<std::size_t>> unheard_;
  bool over_ = false;
};

}  // namespace collet::client
