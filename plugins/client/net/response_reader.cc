#include "client/net/response_reader.h"

#include <charconv>

#include "client/limits.h"
#include "client/net/text.h"

namespace collet::client {
namespace {

// The whole text is a number in that base.
bool read_number(std::string_view text, int base, std::uint64_t& out) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return !text.empty() && problem == std::errc() && end == text.data() + text.size();
}

bool has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (equals_ignoring_case(trimmed(list.substr(0, comma)), token)) return true;
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return false;
}

}  // namespace

void ResponseReader::restart() {
  state_ = State::head;
  head_ = {};
  line_.clear();
  body_.clear();
  head_bytes_ = 0;
  left_ = 0;
  begun_ = in_fields_ = false;
  keep_alive_ = true;
}

ResponseReader::State ResponseReader::fail(const char* problem) {
  problem_ = problem;
  return state_ = State::broken;
}

ResponseReader::State ResponseReader::feed(std::string_view& bytes) {
  if (!bytes.empty()) begun_ = true;
  while (!bytes.empty() && state_ == State::head) {
    if (!take_line(bytes)) break;
    if (!in_fields_) {
      on_status_line();
    } else if (line_.empty()) {
      on_head_end();
    } else if (const std::size_t colon = line_.find(':'); colon == std::string::npos || colon == 0) {
      return fail("its answer has a header that is none");
    } else {
      const std::string_view line = line_;
      head_.headers.push_back({std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))});
    }
    line_.clear();
  }
  while (!bytes.empty() && state_ == State::body) take_body(bytes);
  return state_;
}

// Whether line_ has come to its end, which is not part of it.
bool ResponseReader::take_line(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  const std::string_view part = bytes.substr(0, end);
  head_bytes_ += part.size() + 1;
  if (head_bytes_ > limits::kHeaderBytesMax) {
    fail("its headers are too large");
    return false;
  }
  line_ += part;
  bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  if (end == std::string_view::npos) return false;
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  return true;
}

ResponseReader::State ResponseReader::on_status_line() {
  const std::string_view line = line_;
  std::uint64_t status = 0;
  const bool good = line.size() >= 12 && line.starts_with("HTTP/1.") && line[8] == ' ' &&
                    read_number(line.substr(9, 3), 10, status) && (line.size() == 12 || line[12] == ' ');
  if (!good || status < 100) return fail("its answer is not HTTP/1.1");
  keep_alive_ = line[7] != '0';
  head_.status = static_cast<int>(status);
  in_fields_ = true;
  return state_;
}

// RFC 9112 §6.3.
ResponseReader::State ResponseReader::on_head_end() {
  in_fields_ = false;
  if (head_.status < 200) {  // an interim response
    if (head_.status == 101) return fail("it has not answered in HTTP, but changes to another protocol");
    head_.headers.clear();
    return state_;
  }
  if (has_token(head_.header("connection"), "close")) keep_alive_ = false;
  const std::string_view encoding = head_.header("transfer-encoding"), length = head_.header("content-length");
  if (encoding.data()) {
    if (!equals_ignoring_case(encoding, "chunked") || length.data())
      return fail("its answer has a length that cannot be known");
    framing_ = Framing::chunk_size;
  } else if (head_.status == 204 || head_.status == 304) {
    return state_ = State::whole;
  } else if (length.data()) {
    framing_ = Framing::length;
    if (!read_number(length, 10, left_)) return fail("its answer has a Content-Length that is no number");
    if (left_ == 0) return state_ = State::whole;
  } else {
    framing_ = Framing::until_close;
    keep_alive_ = false;
  }
  return state_ = State::body;
}

ResponseReader::State ResponseReader::take(std::string_view& bytes) {
  const std::size_t count =
      framing_ == Framing::until_close ? bytes.size() : std::min<std::uint64_t>(left_, bytes.size());
  if (count > limits::kMessageBytesMax - body_.size()) return fail("its answer is too large");
  body_ += bytes.substr(0, count);
  bytes.remove_prefix(count);
  left_ -= framing_ == Framing::until_close ? 0 : count;
  return state_;
}

ResponseReader::State ResponseReader::take_body(std::string_view& bytes) {
  switch (framing_) {
    case Framing::until_close:
      return take(bytes);
    case Framing::length:
      take(bytes);
      return state_ == State::body && left_ == 0 ? state_ = State::whole : state_;
    case Framing::chunk:
      take(bytes);
      if (left_ == 0) framing_ = Framing::chunk_end;
      return state_;
    default:
      break;
  }
  if (!take_line(bytes)) return state_;
  const State after = on_chunk_line();
  line_.clear();
  return after;
}

// A chunk's size, the empty line behind a chunk, or a line of the trailer.
ResponseReader::State ResponseReader::on_chunk_line() {
  if (framing_ == Framing::trailer) return line_.empty() ? state_ = State::whole : state_;
  head_bytes_ = 0;
  if (framing_ == Framing::chunk_end) {
    if (!line_.empty()) return fail("its answer has a chunk that does not end");
    framing_ = Framing::chunk_size;
    return state_;
  }
  const std::string_view size = std::string_view(line_).substr(0, line_.find(';'));
  if (!read_number(trimmed(size), 16, left_)) return fail("its answer has a chunk without a size");
  framing_ = left_ > 0 ? Framing::chunk : Framing::trailer;
  return state_;
}

ResponseReader::State ResponseReader::finish() {
  if (state_ == State::body && framing_ == Framing::until_close) return state_ = State::whole;
  if (state_ == State::head || state_ == State::body) {
    return fail(begun_ ? "it has closed the connection before the end of its answer"
                       : "it has closed the connection without an answer");
  }
  return state_;
}

}  // namespace collet::client
