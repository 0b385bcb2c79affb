// One request on its way through a loop, from its parse to its answer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/context.h"
#include "protocol/http/http_content.h"
#include "rpc/exchange.h"
#include "rpc/message.h"
#include "transport/http.h"
#include "transport/lines.h"
#include "transport/request_memory.h"

namespace collet::protocol {

// Sends what belongs to a request as its HTTP answer: JSON, or an event stream from the first interim message on. A
// stream of a session may lose its connection and go on: its client comes back for what is kept in an EventLog.
class HttpOutlet final : public rpc::Outlet {
 public:
  // `page` is the Origin that may read the answer; empty: none. A client that does not take events gets the answer
  // alone; one that does not take JSON gets it as an event, unless its status says that it is an error.
  void open(transport::HttpReply& reply, std::string_view page, Accepted takes = {});
  // Lets go of what it holds, when the request is over.
  void close();

  void interim(std::span<const std::string_view> pieces) override;
  void answer(int http_status, std::span<const std::string_view> pieces) override;
  bool takes_interim() const override { return takes_.events; }
  bool client_is_behind() const override;
  // An answer without a body.
  void answer_empty(int http_status);
  // The request was cancelled by a message: its answer ends here, with nothing in it.
  void abandon();
  // The client has gone.
  void forget() { reply_ = nullptr; }

  // A client of this session knows how to come back.
  void keep_events(SessionPtr session) { session_ = std::move(session); }
  // Whether there is something that a client can come back for.
  bool resumable() const { return log_ != nullptr; }
  // Tells the client to come back later, if it knows how, and closes its connection.
  void close_stream(unsigned retry_ms);

  // Before the answer: goes out as the Mcp-Session-Id header.
  void set_session(std::string id) { session_id_ = std::move(id); }
  // Legacy clients take any status but 200 for a fault of the transport.
  void set_era(Era era) { era_ = era; }
  transport::HttpReply* reply() { return reply_; }

 private:
  std::span<const transport::Header> headers(bool json);
  void begin_stream();
  void send(std::span<const std::string_view> pieces, bool last);
  void send_event(std::string_view message, transport::EventFields fields = {});

  transport::HttpReply* reply_ = nullptr;  // null once answered, or without a connection
  Era era_ = Era::modern;
  bool streaming_ = false;
  Accepted takes_;
  std::string page_;
  std::string session_id_;
  SessionPtr session_;  // that keeps the events; null if they are not kept
  EventLogPtr log_;     // once it streams
  transport::Header headers_[5];
};

// Sends everything as lines of one stream.
class LineOutlet final : public rpc::Outlet {
 public:
  explicit LineOutlet(transport::LineStream& stream) : stream_(stream) {}
  void interim(std::span<const std::string_view> pieces) override { stream_.write(pieces); }
  void answer(int, std::span<const std::string_view> pieces) override { stream_.write(pieces); }
  bool client_is_behind() const override { return stream_.untaken_bytes() > limits::kStreamAheadBytes; }

 private:
  transport::LineStream& stream_;
};

// Pooled: a loop uses the same few again and again, with the memory they have. Loop thread; but once a call of it
// runs, message and context may be read by other threads.
struct Request {
  rpc::Arena arena;
  std::optional<transport::RequestHold> hold;  // of what lies in the arena, if that is much
  rpc::Message message;
  Context context;
  const transport::HttpRequest* received = nullptr;  // if it came over HTTP, until ServerLoop::handle() returns
  HttpOutlet http;                                   // likewise
  std::shared_ptr<rpc::Outlet> outlet;               // where it answers, if that is shared with others
  rpc::Exchange exchange;                            // after the outlet that it may answer through when destroyed

  void reset();
  // Answers that its params are not what its method takes.
  void invalid_params(std::string why) { exchange.error(rpc::invalid_params(std::move(why))); }
  template <class... Args>
  void invalid_params(fmt::format_string<Args...> format, Args&&... args) {
    exchange.error(rpc::invalid_params(format, std::forward<Args>(args)...));
  }
};

class RequestPool;
struct ReturnToPool {
  RequestPool* pool = nullptr;
  void operator()(Request* request) const;
};
using RequestPtr = std::unique_ptr<Request, ReturnToPool>;

// Outlives its requests.
class RequestPool {
 public:
  RequestPtr acquire();

 private:
  friend struct ReturnToPool;
  static constexpr std::size_t kKeptMax = 256;
  std::vector<std::unique_ptr<Request>> free_;
};

}  // namespace collet::protocol
