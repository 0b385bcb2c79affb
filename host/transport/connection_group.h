// What the connections of one HttpServer share: limits, buffers and deadlines. An idle connection holds no buffer
// of its own, and no connection holds a timer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/callback.h"
#include "loop/loop.h"
#include "transport/http.h"
#include "transport/http_parser.h"
#include "transport/http_response.h"
#include "transport/output_buffer.h"
#include "transport/request_memory.h"

struct uv_idle_s;

namespace collet::transport {

class HttpConnection;

// What a connection waits for. Each has one time limit, so connections queue in the order of their deadlines.
enum class Wait : std::uint8_t {
  first,    // the first byte of a connection's first request, or the end of a TLS handshake
  header,   // the rest of a request's header
  body,     // the rest of a request's body
  idle,     // the next request
  comment,  // the next event; at the deadline a comment is sent
  write,    // the client to read the rest of what has been written
  linger,   // the client to close, after the last answer
  reply,    // the handler's answer, or its release: no deadline here
  close,    // libuv's close callback: none either
};
inline constexpr std::size_t kWaits = 9;

// Where a connection is in the queues of its group, which alone changes it.
struct QueuePlace {
  HttpConnection* previous = nullptr;
  HttpConnection* next = nullptr;
  std::uint64_t deadline_ms = 0;
  Wait wait = Wait::close;
  bool deferred = false;  // resumed in the next turn of the loop
};

class ConnectionGroup {
 public:
  static constexpr std::size_t kReadBytes = 64u << 10;

  ConnectionGroup(loop::Loop& loop, HttpLimits limits, HttpHandler& handler, std::shared_ptr<RequestMemory> memory);
  ~ConnectionGroup();  // closes all
  ConnectionGroup(const ConnectionGroup&) = delete;
  ConnectionGroup& operator=(const ConnectionGroup&) = delete;

  void add(HttpConnection& connection);     // waits for the first byte
  void remove(HttpConnection& connection);  // its handle is closed
  void wait(HttpConnection& connection, Wait what);

  // Calls HttpConnection::resume() in the next turn of the loop.
  void defer(HttpConnection& connection);
  void forget_deferred(HttpConnection& connection);

  // That requests are refused for it, now and then.
  void tell_memory_is_full();

  // Closes idle connections now and others when they become idle, then calls `done`, never from inside this.
  void drain(Callback<void()> done);
  bool draining() const { return draining_; }
  std::size_t size() const { return size_; }

  loop::Loop& loop;
  const HttpLimits limits;
  HttpHandler& handler;
  const std::shared_ptr<RequestMemory> memory;
  ConnectionGroup* aside = nullptr;           // of another loop: where connections with a large request go on
  HttpParser parser;                          // for a request that comes whole
  const std::unique_ptr<char[]> read_buffer;  // kReadBytes
  std::unique_ptr<char[]> ciphertext;         // kReadBytes, once there is TLS
  OutputBuffer output;
  DateField date;

 private:
  struct Queue {
    HttpConnection* first = nullptr;
    HttpConnection* last = nullptr;
  };

  std::uint64_t time_limit_ms(Wait what) const;
  void unlink(HttpConnection& connection);
  void sweep();
  void run_deferred();
  void finish_drain_if_empty();

  std::array<Queue, kWaits> queues_;
  std::array<std::uint64_t, kWaits> time_limits_ms_;
  std::size_t size_ = 0;
  loop::Timer sweeper_;  // runs while there are connections
  uv_idle_s* idle_;      // owned; freed by libuv's close callback
  std::vector<HttpConnection*> deferred_;
  bool draining_ = false;
  std::uint64_t tell_again_ms_ = 0;
  Callback<void()> drained_;
};

}  // namespace collet::transport
