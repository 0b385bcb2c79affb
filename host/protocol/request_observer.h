// Who is told of requests: what counts, records or limits them. Their calls are told of by registry/call_observer.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/context.h"

namespace collet::protocol {

// Borrowed until the function returns.
struct RequestFacts {
  std::string_view method;  // its first 128 bytes; empty: it could not be read, or is a batch that is refused whole
  Era era = Era::modern;
  Transport transport = Transport::http;
  const registry::Principal* principal = nullptr;  // null: nobody in particular
};

struct RequestEnd {
  enum class How : std::uint8_t { result, error, gone };  // gone: cancelled, or the connection of its own was lost
  How how = How::result;
  int code = 0;           // error
  std::size_t bytes = 0;  // of the result
  std::uint64_t took_us = 0;
};

// A request over HTTP that may not come in, whatever it asks: its Host, Origin or token is not allowed, or it cannot be found out now
// who sends it or which session it names.
struct DeniedRequest {
  std::string_view path;    // its first 128 bytes
  std::string_view client;  // its address
  int status = 0;           // of the answer
};

// On the loop of the request, on several loops at once. Takes microseconds, and throws std::bad_alloc at most.
class RequestObserver {
 public:
  // Of each request of MCP that is answered, as it is handed to its method or refused. A batch of which no message
  // is looked at is one request.
  virtual void on_request_begun(const RequestFacts& facts) = 0;
  virtual void on_request_ended(const RequestFacts& facts, const RequestEnd& end) = 0;  // exactly once
  virtual void on_request_denied(const DeniedRequest& request) = 0;

 protected:
  ~RequestObserver() = default;
};

struct Request;
using RequestObservers = std::vector<RequestObserver*>;
// Tells them of the request from now on.
void observe(Request& request, const RequestObservers& observers);
void tell_denied(const DeniedRequest& request, const RequestObservers& observers);

}  // namespace collet::protocol
