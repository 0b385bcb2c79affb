// Who is told of each request of MCP that is understood, as it is handed to its method: what counts, records or limits them. Its
// calls are told of by registry/call_observer.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/context.h"

namespace collet::protocol {

// Borrowed until the function returns.
struct RequestFacts {
  std::string_view method;  // its first 128 bytes
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

// On the loop of the request, on several loops at once. Takes microseconds, and throws std::bad_alloc at most.
class RequestObserver {
 public:
  virtual void on_request_begun(const RequestFacts& facts) = 0;
  virtual void on_request_ended(const RequestFacts& facts, const RequestEnd& end) = 0;  // exactly once

 protected:
  ~RequestObserver() = default;
};

struct Request;
// Tells them of the request from now on.
void observe(Request& request, const std::vector<RequestObserver*>& observers);

}  // namespace collet::protocol
