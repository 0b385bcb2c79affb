// HTTP/1.1, server side: bytes to requests and back. Knows nothing of what is served.
//
// Threads: a server and all it calls belong to the thread of its loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "base/limits.h"
#include "base/result.h"
#include "loop/loop.h"

namespace collet::transport {

class HeaderIndex;

struct Header {
  std::string_view name;
  std::string_view value;
};

// One complete request. Borrowed until HttpHandler::on_request() returns: the bytes lie in the connection's buffer.
struct HttpRequest {
  std::string_view method;
  std::string_view path;   // of the target, without the query, as sent
  std::string_view query;  // without '?'
  std::string_view host;   // of an absolute-form target, else of the Host header
  std::span<const Header> headers;
  std::string_view body;
  bool secure = false;    // came over TLS
  bool local = false;     // came over a unix socket
  bool loopback = false;  // came from a loopback address
  bool repeats = true;    // false: no two headers have the same name
  const HeaderIndex* index = nullptr;  // of the headers; null: they are looked through
  std::string_view client = {};  // whom what it takes is counted to (see HttpHandler::refuses())
  const void* known = nullptr;   // what the handler has said of its sender before (HttpSender::known)
  bool body_follows = false;     // by HttpReplyObserver::on_body(), and `body` is empty (HttpSender::streamed_bytes_max)

  // The first header of that name (any case), and the next one that is named as another; null: there is none.
  const Header* first(std::string_view name) const;
  const Header* next(const Header& before) const;
  // The value of the first one, surrounding blanks removed; data() is null if there is none.
  std::string_view header(std::string_view name) const;
  // How many headers have that name.
  unsigned count(std::string_view name) const;

  // What all headers of that name say, where a value has no comma: copies come on lines of their own, or as a list
  // that a proxy has made of them.
  struct Stated {
    std::string_view value;  // the first one; data() is null if there is none
    bool agreed = true;      // whether all are the same
  };
  Stated stated(std::string_view name) const;
  // Of a header whose value is a list: all its lines as one (RFC 9110 §5.3), unless they are all the same. `joined`
  // is room for that.
  std::string_view listed(std::string_view name, std::string& joined) const;
};

// What an event may carry besides its data.
struct EventFields {
  std::string_view type = {};          // "event"; empty: "message" if there is data
  std::string_view id = {};            // for Last-Event-ID
  std::optional<unsigned> retry_ms{};  // how long the client shall wait before it comes back
  bool last = false;                   // end() follows: it is sent however much waits
};

// Told of the client while its answer is not complete.
class HttpReplyObserver {
 public:
  // It has closed its end, or the connection broke. A client that only shuts down its writing side still gets its
  // answer: what tells the two apart is that the one that has closed resets what is sent to it, so the next bytes
  // of the answer are sent at once. Not noticed while a client has sent more than kHttpPipelineBytesMax ahead. The
  // reply is no longer usable when this is called. Comes from the loop, never from inside a call of the reply.
  virtual void on_gone() = 0;
  // All that was written to a stream has left. Comes from the loop, too.
  virtual void on_sent() {}
  // Of a request whose body follows: its next bytes, borrowed, perhaps none with the last. Those that were told and are not taken
  // (HttpReply::body_taken()) are ahead: kHttpBodyAheadBytesMax of them, then no more is read.
  virtual void on_body(std::string_view bytes, bool last) {
    static_cast<void>(bytes);
    static_cast<void>(last);
  }
  // No more of it comes, as its client has made a mistake, or is too slow. The observer gives that answer now, or, if it has begun another
  // one, aborts that.
  virtual void on_body_failed(int status, std::string_view why) {
    static_cast<void>(status);
    static_cast<void>(why);
  }

 protected:
  ~HttpReplyObserver() = default;
};

// What a handler knows of who sends a request.
struct HttpSender {
  std::string client;  // whom what the request takes is counted to
  // The handler's own, and null if there is none: it comes again with the same request, perhaps to the handler of another loop.
  std::shared_ptr<const void> known = {};
  // Not 0: the request is given to the handler now, and so much of its body, at most, follows as it comes.
  std::size_t streamed_bytes_max = 0;
};

// The answer to one request: respond(), or begin_events(), event()* and end(), or begin(), write()* and end(). Owned by the
// connection; it ends with respond(), end() or abort(), or when the observer's on_gone() is called. An answer that was never given when
// on_request() has returned is given later: an observer must be set by then.
class HttpReply {
 public:
  // The whole answer. `body` is sent as the pieces one after another. Content-Length, Date and Connection are
  // added.
  virtual void respond(int status, std::span<const Header> headers, std::span<const std::string_view> body) = 0;

  // 200 with `headers` and Content-Type: text/event-stream, Cache-Control: no-cache, X-Accel-Buffering: no,
  // chunked. Comments keep a quiet stream alive.
  virtual void begin_events(std::span<const Header> headers) = 0;
  // One event, sent at once. Line breaks in `data` reach the client as \n. Without data it is for the client's
  // transport alone and has no type. A client that does not read loses its connection when
  // more than HttpLimits::write_buffer_bytes_max wait before the event, or when nothing moves for body_timeout_ms:
  // then on_gone() is called later.
  virtual void event(std::string_view data, const EventFields& fields) = 0;
  void event(std::string_view data) { event(data, {}); }
  // The beginning of an answer that comes in pieces, with `headers`, of a status that has a body. write()* and end() follow.
  virtual void begin(int status, std::span<const Header> headers) = 0;
  // The next piece of the body, sent at once: also of an event stream, whole events. A client that does not read loses its
  // connection as by event(), but for the `last` piece: end() follows.
  virtual void write(std::string_view bytes, bool last) = 0;
  void write(std::string_view bytes) { write(bytes, false); }
  virtual void end() = 0;
  // Instead of end(), or of an answer: ends the connection, so that the client knows that its answer is not whole.
  virtual void abort() = 0;
  // How many bytes may be written ahead of what the client's connection has taken. None: it reads too slowly, and what
  // can wait for on_sent(), or be left out, should.
  virtual std::size_t room() const { return limits::kStreamAheadBytes; }

  // Of a request whose body follows: so many bytes of it are ahead no more. None: they are waited for, and a client that waits to
  // be told so (Expect: 100-continue) is told. From the loop. An answer that ends before its body has come ends the connection.
  virtual void body_taken(std::size_t bytes) { static_cast<void>(bytes); }

  // Instead of an answer, from inside of HttpHandler::refuses() or on_request(), once there is an observer: the handler cannot say
  // yet what becomes of the request. It stays as it is until release(). What its client sends meanwhile is not looked at, and no
  // more than kHttpPipelineBytesMax of it is taken, by which its end is noticed. No time limit runs: that is the handler's.
  virtual void hold() = 0;
  // Of a request that is held, from the loop: it is given to the handler again in a later turn, by refuses() or, if all of it has
  // come by now, by on_request(), with `known`. The observer is told nothing any more.
  virtual void release(std::shared_ptr<const void> known) = 0;

  virtual void observe(HttpReplyObserver* observer) = 0;

 protected:
  ~HttpReply() = default;
};

class HttpHandler {
 public:
  // `request` may be answered at once or later, or be held. The answer to a HEAD request is sent without its body.
  virtual void on_request(const HttpRequest& request, HttpReply& reply) = 0;
  // The header of a request has come whole, and its body has not: who may not send it is answered at once, which
  // ends the connection, or the request is held, and true is returned. `sender` is the address that it comes from, and may
  // become whoever it is counted to instead, with what is known of them, and whether the body is to follow the request.
  virtual bool refuses(const HttpRequest& header, HttpReply& reply, HttpSender& sender) {
    static_cast<void>(header);
    static_cast<void>(reply);
    static_cast<void>(sender);
    return false;
  }
  // A request is refused that cannot be read: `request` has the headers of it that are there, `headers` takes what
  // the answer shall have besides its own.
  virtual void on_refusal(const HttpRequest& request, std::vector<Header>& headers) {
    static_cast<void>(request);
    static_cast<void>(headers);
  }

 protected:
  ~HttpHandler() = default;
};

// A time of 0 is no limit (and no comments).
struct HttpLimits {
  std::size_t body_bytes_max = limits::kMessageBytesMax;  // that comes whole
  std::size_t streamed_bytes_max = 0;                     // of a body that follows its request, if that is more
  std::size_t header_bytes_max = limits::kHttpHeaderBytesMax;
  std::size_t target_bytes_max = limits::kHttpTargetBytesMax;
  unsigned header_count_max = limits::kHttpHeaderCountMax;
  unsigned connections_max = limits::kConnectionsMax;
  // From the first byte of a request to its last header; and of a connection, to its first byte.
  std::uint64_t header_timeout_ms = limits::kHttpHeaderTimeoutMs;
  std::uint64_t body_timeout_ms = limits::kHttpBodyTimeoutMs;  // of one that follows: from one piece to the next
  std::uint64_t idle_timeout_ms = limits::kHttpIdleTimeoutMs;  // between requests
  std::uint64_t keep_alive_comment_ms = limits::kHttpKeepAliveCommentMs;
  std::size_t write_buffer_bytes_max = limits::kWriteBufferBytesMax;
  std::size_t memory_bytes_max = limits::kRequestMemoryBytesMax;  // see RequestMemory

  bool operator==(const HttpLimits&) const = default;
};

// Where to listen: http://127.0.0.1:8765, http://[::1]:0, http://localhost:8765 (both families), https://…,
// unix:/run/collet.sock.
struct Address {
  enum class Scheme : std::uint8_t { http, https, unix_socket };
  Scheme scheme = Scheme::http;
  std::string host;  // without brackets; or the path of a unix socket
  std::uint16_t port = 0;

  static Result<Address> parse(std::string_view url);
  std::string url() const;
  bool is_loopback() const;  // a unix socket is, too

  bool operator==(const Address&) const = default;
};

// Certificate and key of the https addresses; shared by the servers of all loops. Any thread.
class TlsContext;
Result<std::shared_ptr<TlsContext>> load_tls(const std::string& certificate_file, const std::string& key_file);
// Reads the files again, for connections that come from now on. A failure leaves what there is.
Result<void> renew_tls(TlsContext& context);

// A listening socket that every loop's server accepts from. Bound once, before the loops run, so that port 0
// becomes a real port and a busy one is an error at start.
class ListenSocket {
 public:
  // One or more sockets (localhost: IPv4 and IPv6 on the same port), `loops` of each with SO_REUSEPORT.
  static Result<std::unique_ptr<ListenSocket>> bind(const Address& address, unsigned loops,
                                                    std::shared_ptr<TlsContext> tls);
  ~ListenSocket();  // also removes a unix socket's file

  // With the real port.
  const Address& address() const;

  struct Bound;

 private:
  friend class HttpServer;
  friend class LineServer;
  explicit ListenSocket(std::unique_ptr<Bound> bound);
  std::unique_ptr<Bound> bound_;
};

class RequestMemory;

inline constexpr std::size_t kLargeRequestBytes = 256u << 10;  // header and body

class HttpServer {
 public:
  // `memory` is that of all loops' servers; null: it has its own.
  HttpServer(loop::Loop& loop, HttpLimits limits, HttpHandler& handler,
             std::shared_ptr<RequestMemory> memory = nullptr);
  // Closes every connection; observers of unanswered replies are told.
  ~HttpServer();

  // Accepts from that socket's part for loop number `index`, once for each.
  void listen(ListenSocket& socket, unsigned index);

  // A connection with a request of more than kLargeRequestBytes goes on at that server, of another loop, from its first
  // bytes on and for good: reading, parsing and answering it keeps nobody here waiting. `other` outlives the connections
  // of this one, has the same memory, and is drained after it. Before any loop runs.
  void send_large_to(HttpServer& other);

  // Stops accepting and closes idle connections; others close after their answer; an event stream lasts until its
  // owner ends it. Calls `done` when none is left, later, from the loop; `done` may destroy the server.
  void drain(Callback<void()> done);

  std::size_t connections() const;
  // How many were turned away since the start: too many connections, or too few descriptors.
  std::uint64_t refused() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace collet::transport
