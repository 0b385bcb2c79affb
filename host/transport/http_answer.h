// The answer to one request, made of what its handler says: the head, the body at once, in chunks or as events, and the end.
// HttpConnection has one, for one request after another, and knows which of its functions has its turn. Loop thread.
#pragma once

#include <span>
#include <string_view>

#include "transport/http.h"
#include "transport/http_output.h"
#include "transport/http_response.h"

namespace collet::transport {

class HttpAnswer {
 public:
  // What the request is like that is answered from now on. `head`: it is a HEAD request, whose answer has no body. If
  // begin_early() has been called, what that has said is the beginning of this answer.
  void set_request(bool keep_alive, bool http_1_0, bool head);
  // It is the last one of its connection.
  void end_connection() { keep_alive_ = false; }
  bool ends_connection() const { return !keep_alive_; }
  // The end of the connection is that of the body.
  bool ends_by_close() const { return http_1_0_; }
  bool is_to_head() const { return head_; }
  bool has_events() const { return events_; }

  // The whole answer.
  void respond(HttpOutput& to, DateField& date, int status, std::span<const Header> headers,
               std::span<const std::string_view> body);
  // The head of an answer that is a stream, of events or of pieces.
  void begin_events(HttpOutput& to, DateField& date, std::span<const Header> headers);
  void begin(HttpOutput& to, DateField& date, int status, std::span<const Header> headers);
  // What follows it. To a HEAD request only comment() and end().
  void event(HttpOutput& to, std::string_view data, const EventFields& fields);
  void write(HttpOutput& to, std::string_view bytes);
  void comment(HttpOutput& to);
  void end(HttpOutput& to);

  // Says what comes next in any case: of an answer that has not begun, or of a stream.
  void begin_early(HttpOutput& to);
  void go_on_early(HttpOutput& to);

 private:
  void append_head(std::string& out, DateField& date, int status, std::span<const Header> headers);
  void begin_stream(HttpOutput& to, DateField& date, int status, std::span<const Header> headers,
                    std::string_view more_fields);

  bool keep_alive_ = true;
  bool http_1_0_ = false;
  bool head_ = false;    // answers a HEAD request
  bool events_ = false;  // what it streams are events
  bool begun_ = false;   // kAnswerBegin has been sent of the answer
};

}  // namespace collet::transport
