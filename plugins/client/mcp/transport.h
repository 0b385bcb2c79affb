// How messages travel to a remote and back, whatever they say.
#pragma once

#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/net/fetch.h"

namespace collet::client {

using RequestId = std::uint64_t;  // 0: none

enum class Era : std::uint8_t { modern, legacy };

// One message to send.
struct Outgoing {
  RequestId id = 0;  // of a request; 0: a notification or a response
  std::string method;
  std::string name;                 // of what is called, for Mcp-Name; empty: nothing
  std::vector<HttpHeader> headers;  // more of them, where there are headers
  std::string text;
  bool repeatable = false;  // it may be sent again though the remote may have acted on it
};

// A request that will not be answered.
struct Lost {
  bool sent = true;     // the remote may have acted on it
  int http_status = 0;  // of an answer that was no answer to the request; 0: there was none
  std::string message;
  bool session_gone = false;  // the remote does not know our session any more
  bool alone = false;         // nobody was there for this request alone, which had a connection of its own
  std::uint64_t retry_after_ms = 0;  // it is too busy, and asks to be left alone for so long; 0: it does not say

  // Nothing else can be asked through this connection.
  bool unreachable() const { return (!sent && !alone) || session_gone; }
};

class TransportListener {
 public:
  // A message has come, on the response stream of a request or (0) on no such stream. Text is borrowed.
  virtual void on_text(std::string_view text, RequestId stream) = 0;
  // Nothing more will come for this request.
  virtual void on_lost(RequestId id, Lost lost) = 0;
  // Nothing new can be asked any more; what is under way goes on.
  virtual void on_unreachable(const std::string& reason) = 0;
  // The connection is gone, with every request that is under way. Last.
  virtual void on_down(const std::string& reason) = 0;

 protected:
  ~TransportListener() = default;
};

// On the client's thread. The listener is called later, never from inside these functions; destroying a transport
// ends everything without another word to the listener.
class Transport {
 public:
  virtual ~Transport() = default;

  // Legacy: what is sent after notifications/initialized waits until the server knows that, and until the channel
  // for what belongs to no request is open.
  virtual void send(Outgoing message) = 0;
  // The request has been answered, or nobody waits for its answer any more: its response stream may be closed.
  virtual void finish(RequestId id, bool answered) = 0;
  // What the handshake has agreed upon.
  virtual void set_version(Era era, std::string_view version) = 0;
  // Whether a modern request is cancelled by finish(), without a notification.
  virtual bool finish_cancels() const { return false; }
};

// Why a request is lost that may have been sent before. The remote is there: nothing else is lost with it.
inline constexpr const char* kNoMemory = "there is no memory for it";

// Sends what had to wait. What there is no memory for is lost, as nobody is there any more to be told by an exception.
inline void send_later(Transport& transport, std::vector<Outgoing> messages, TransportListener& listener) {
  for (Outgoing& message : messages) {
    const RequestId id = message.id;
    try {
      transport.send(std::move(message));
    } catch (const std::bad_alloc&) {
      if (!id) continue;
      transport.finish(id, false);
      listener.on_lost(id, {.message = kNoMemory});
    }
  }
}

}  // namespace collet::client
