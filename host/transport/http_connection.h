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
#include "loop/hangup_watch.h"
#include "transport/client_socket.h"
#include "transport/connection_group.h"
#include "transport/http.h"
#include "transport/http_answer.h"
#include "transport/http_body.h"
#include "transport/http_input.h"
#include "transport/http_output.h"
#include "transport/http_parser.h"
#include "transport/tls.h"

namespace collet::transport {

// Where a connection comes from.
enum class Peer : std::uint8_t { unix_socket, loopback, remote };

// Decides what comes next, and how much time the client has for it. How bytes come and go and what an answer looks like
// is up to its parts. Owns itself: lives until its socket is closed.
class HttpConnection final : public HttpReply, private ClientSocket::Owner {
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
  void body_taken(std::size_t bytes) override;
  void observe(HttpReplyObserver* observer) override { observer_ = observer; }

  // For the group.
  QueuePlace& place() { return place_; }
  bool is_closing() const { return closing_; }
  void time_is_up();
  void resume();   // goes on with what has come meanwhile
  void close();    // the observer is told later, from the loop
  void abandon();  // the group ends now; the observer is told now

 private:
  enum class Phase : std::uint8_t { reading, held, answering, streaming, lingering };

  // Of one whose large request goes on at another loop.
  struct Moved {
    Descriptor socket;
    Peer peer;
    HttpInput input;
    std::unique_ptr<TlsSession> tls;
  };

  HttpConnection(ConnectionGroup& group, Peer peer, std::string address)
      : group_(&group), input_(group.memory, std::move(address)), output_(socket_, group.output), peer_(peer) {}
  HttpConnection(ConnectionGroup& group, Moved moved);
  ~HttpConnection() = default;

  void start(int descriptor);
  void start_reading();
  bool move_aside();
  static void go_on(ConnectionGroup& group, Moved moved);
  void on_broken() override { close(); }
  void on_closed() override;

  // Reading.
  uv_buf_t read_space();
  uv_buf_t space();
  void on_read(ssize_t bytes);
  void take(ssize_t bytes);
  void on_end(ssize_t error);
  void look_for_client();
  void decrypt();
  void received(std::size_t bytes);
  void receive_request(std::span<char> bytes);
  bool has_kept_too_much();
  bool reads_too_fast();
  void keep(HttpParser&& parser, std::span<const char> bytes);
  void serve_kept();
  std::span<char> consume(HttpParser& parser, std::span<char> bytes);
  bool is_refused(HttpParser& parser, const char* bytes, std::size_t& streamed_bytes_max);
  void describe_client(HttpRequest& request) const;
  void hand_over(HttpParser& parser);
  void give_to_handler(const HttpRequest& request, HttpParser& parser);
  std::span<char> begin_body(HttpParser& parser, std::span<char> bytes, std::size_t bytes_max);
  std::span<char> take_body(std::span<char> bytes);
  void tell_body(std::string_view piece, bool last);
  void fail_body(int status, std::string_view why);
  bool awaits_body() const { return body_ && !paused_ && !expects_continue_; }
  void refuse(int status, std::string_view text, const HttpRequest& request);
  void refuse_for_memory(const HttpRequest& request);
  void drop_for_memory();
  bool may_read_request() const { return phase_ == Phase::reading && !output_.waits() && !closing_; }
  bool owes_answer() const { return phase_ != Phase::reading && phase_ != Phase::lingering; }
  void uncork();
  void settle();
  void wait_for_write();

  // Answering.
  void see_whether_last();
  bool begin_stream();
  void stream_begun();
  bool reads_enough();
  void await_more();
  void await_piece();
  void piece_written();
  void on_sent() override;
  void answered();
  void linger();
  void shut_down();

  QueuePlace place_;
  ConnectionGroup* group_;  // null once abandoned
  HttpReplyObserver* observer_ = nullptr;
  HttpInput input_;
  ClientSocket socket_;
  HttpOutput output_;
  std::unique_ptr<loop::HangupWatch> hangup_;  // once read_ended_ and an answer is owed
  HttpAnswer answer_;
  std::unique_ptr<HttpBody> body_;  // of the request that is answered, as long as it has not come whole
  std::size_t body_ahead_ = 0;      // bytes of it that are not taken
  Phase phase_ = Phase::reading;
  Peer peer_;
  bool served_ = false;      // has had a request
  bool corked_ = false;      // inside received(): answers are gathered
  bool expects_continue_ = false;  // the client waits to be told to send the body that follows
  bool paused_ = false;      // not reading: too much has been kept, or is ahead
  bool read_ended_ = false;  // the client sends no more; close when what it is owed is written
  bool closing_ = false;
  bool resets_ = false;  // what has been sent is not to be taken for a whole answer
};

}  // namespace collet::transport
