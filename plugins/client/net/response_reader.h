// One HTTP/1.1 response after another, from bytes as they come.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "client/net/http.h"

namespace collet::client {

class ResponseReader {
 public:
  enum class State : std::uint8_t {
    head,   // the head has not come, or not all of it
    body,   // more of the body is to come
    whole,  // the response has ended; what follows it has not been taken
    broken,
  };

  // For the next response.
  void restart();
  // Takes bytes off the front of `bytes`; what is left belongs to nothing of this response.
  State feed(std::string_view& bytes);
  // The connection has ended: whole, if that is how the response says its length, else broken.
  State finish();

  State state() const { return state_; }
  // Whether anything of the response has come.
  bool begun() const { return begun_; }
  // From State::body on.
  const HttpHead& head() const { return head_; }
  // What has come of the body and was not taken out of it.
  std::string& body() { return body_; }
  // Whole: whether the connection can carry another request.
  bool keeps_alive() const { return keep_alive_; }
  // Broken: why, in words.
  const char* problem() const { return problem_; }

 private:
  enum class Framing : std::uint8_t { length, chunk_size, chunk, chunk_end, trailer, until_close };

  State fail(const char* problem);
  bool take_line(std::string_view& bytes);
  State on_status_line();
  State on_head_end();
  State take_body(std::string_view& bytes);
  State take(std::string_view& bytes);
  State on_chunk_line();

  State state_ = State::head;
  Framing framing_ = Framing::length;
  HttpHead head_;
  std::string line_;  // as far as it has come
  std::string body_;
  std::size_t head_bytes_ = 0;
  std::uint64_t left_ = 0;  // of the body or chunk
  bool begun_ = false;
  bool in_fields_ = false;  // the status line has come
  bool keep_alive_ = true;
  const char* problem_ = "";
};

}  // namespace collet::client
