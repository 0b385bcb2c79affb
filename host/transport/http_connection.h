// One client of an HttpServer: reads requests in order, gives each to the handler and writes its answer before the
// next one is read.
#pragma once

#include <uv.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/unsent.h"
#include "loop/hangup_watch.h"
#include "transport/connection_group.h"
#include "transport/http.h"
#include "transport/http_parser.h"
#include "transport/listen_socket.h"
#include "transport/tls.h"

namespace collet::transport {

// Where a connection comes from.
enum class Peer : std::uint8_t { unix_socket, loopback, remote };

// Owns itself: lives until its handle is closed.
class HttpConnection final : public HttpReply {
 public:
  // Takes over `descriptor`, a connected socket. `tls` may be null.
  static void open(ConnectionGroup& group, int descriptor, Peer peer, std::string address, TlsContext* tls);

  void respond(int status, std::span<const Header> headers, std::span<const std::string_view> body) override;
  void begin_events(std::span<const Header> headers) override;
  void event(std::string_view data, const EventFields& fields) override;
  void begin(int status, std::span<const Header> headers) override;
  using HttpReply::write;
  void write(std::string_view bytes, bool last) override;
  void end() override;
  void abort() override;
  std::size_t room() const override;
  void hold() override;
  void release(std::shared_ptr<const void> known) override;
  void observe(HttpReplyObserver* observer) override { observer_ = observer; }

  // For the group.
  void time_is_up();
  void resume();   // goes on with what has come meanwhile
  void flush();    // sends what has been gathered
  void close();    // the observer is told later, from the loop
  void abandon();  // the group ends now; the observer is told now

 private:
  friend class ConnectionGroup;

  enum class Phase : std::uint8_t { reading, held, answering, streaming, lingering };

  // Bytes that could not be used at once: half a request, one that is held, or requests ahead of a pending answer.
  struct Kept {
    explicit Kept(HttpParser&& from) : parser(std::move(from)) {}
    std::size_t capacity_for(std::size_t free_bytes) const;
    void reserve(std::size_t free_bytes);

    HttpParser parser;
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
    std::size_t capacity = 0;
  };

  // What the socket did not take.
  struct Backlog {
    uv_write_t request;
    Unsent bytes;
    std::size_t writing = 0;  // of them, by the request
  };

  // Of one whose large request goes on at another loop.
  struct Moved {
    Descriptor socket;
    Peer peer;
    std::string address;
    RequestHold hold;
    std::shared_ptr<const void> known;
    std::unique_ptr<Kept> kept;
    std::unique_ptr<TlsSession> tls;
  };

  HttpConnection(ConnectionGroup& group, Peer peer, std::string address)
      : group_(&group), address_(std::move(address)), hold_(group.memory, address_), peer_(peer) {}
  HttpConnection(ConnectionGroup& group, Moved moved);
  ~HttpConnection() = default;

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&handle_); }
  void start(int descriptor);
  void start_reading();
  void closed();

  // Reading: http_connection.cc.
  uv_buf_t read_space();
  uv_buf_t space();
  void on_read(ssize_t bytes);
  void take(ssize_t bytes);
  void on_end(ssize_t error);
  void look_for_client();
  void decrypt();
  void received(std::size_t bytes);
  void serve_kept();
  std::size_t consume(HttpParser& parser, char* bytes, std::size_t& size);
  bool is_refused(HttpParser& parser, const char* bytes);
  void describe_client(HttpRequest& request) const;
  void hand_over(HttpParser& parser);
  void refuse(int status, std::string_view text, const HttpRequest& request);
  bool make_room(std::size_t free_bytes);
  void let_go();
  bool is_large() const;
  bool move_aside();
  static void go_on(ConnectionGroup& group, Moved moved);
  void keep(HttpParser&& parser, const char* bytes, std::size_t size);
  void refuse_for_memory(const HttpRequest& request);
  void drop_for_memory();
  bool may_read_request() const { return phase_ == Phase::reading && !backlog_ && !closing_; }
  bool owes_answer() const { return phase_ != Phase::reading && phase_ != Phase::lingering; }
  void uncork();
  void settle();
  void wait_for_write();

  // Answering: http_answer.cc.
  std::string& output() { return group_->output_of(*this); }
  void append_head(int status, std::span<const Header> headers);
  bool reads_enough();
  void begin_stream(int status, std::span<const Header> headers, std::string_view more_fields);
  void await_piece();
  void piece_written();
  void answered();
  void linger();
  void shut_down();
  void send(std::span<const std::string_view> pieces);
  void send_encrypted();
  void transmit(std::span<const uv_buf_t> buffers);
  void keep_unsent(std::span<const uv_buf_t> buffers, std::size_t sent);
  void write_backlog();
  void backlog_written(int status);
  std::size_t backlog_bytes() const;

  union {
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } handle_;

  // Of the group's queues.
  HttpConnection* previous_ = nullptr;
  HttpConnection* next_ = nullptr;
  std::uint64_t deadline_ms_ = 0;
  Wait wait_ = Wait::close;
  bool deferred_ = false;

  ConnectionGroup* group_;  // null once abandoned
  const std::string address_;
  RequestHold hold_;  // of the memory for requests, until they are answered
  HttpReplyObserver* observer_ = nullptr;
  std::shared_ptr<const void> known_;  // of the sender of the request that is being read or held
  std::unique_ptr<Kept> kept_;
  std::unique_ptr<Backlog> backlog_;
  std::unique_ptr<TlsSession> tls_;
  std::unique_ptr<loop::HangupWatch> hangup_;  // once read_ended_ and an answer is owed
  std::uint64_t written_bytes_ = 0;      // to the socket or the backlog
  std::uint64_t taken_at_deadline_ = 0;  // of these, by the socket
  Phase phase_ = Phase::reading;
  Peer peer_;
  bool served_ = false;  // has had a request
  bool corked_ = false;  // inside received(): answers are gathered
  bool paused_ = false;  // not reading: too much has been kept
  bool keep_alive_ = true;
  bool http_1_0_ = false;
  bool head_ = false;        // answers a HEAD request
  bool events_ = false;      // what it streams are events
  bool begun_ = false;       // kAnswerBegin has been sent of the answer
  bool read_ended_ = false;  // the client sends no more; close when what it is owed is written
  bool closing_ = false;
  bool resets_ = false;  // what has been sent is not to be taken for a whole answer
};

}  // namespace collet::transport
