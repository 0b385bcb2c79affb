#include "rpc/envelope.h"

#include <utility>

#include "base/limits.h"

namespace collet::rpc {
namespace {

// Of what is kept of a key or an id: each byte may be written as an escape of six.
constexpr std::size_t kKeyBytesMax = 6 * 8;
constexpr std::size_t kIdTextBytesMax = 6 * limits::kIdBytesMax;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

void append_bounded(std::string& out, char c, std::size_t bytes_max) {
  if (out.size() <= bytes_max) out += c;
}

}  // namespace

void EnvelopeScanner::feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (state_ == State::over || state_ == State::broken) return;
    take(c);
  }
}

bool EnvelopeScanner::settled() const {
  if (state_ == State::over || state_ == State::broken) return true;
  return ids_ > 0 && state_ != State::word && member_ != Member::id && (has_method_ || has_outcome_);
}

void EnvelopeScanner::take(char c) {
  switch (state_) {
    case State::before:
      if (!is_blank(c)) state_ = c == '{' ? State::key_or_end : State::broken;
      return;
    case State::key_or_end:
      if (is_blank(c)) return;
      key_ = c;
      state_ = c == '"' ? State::key : c == '}' ? State::over : State::broken;
      return;
    case State::key:
      append_bounded(key_, c, kKeyBytesMax);
      if (std::exchange(escaped_, !escaped_ && c == '\\') || c != '"') return;
      return end_key();
    case State::colon:
      if (!is_blank(c)) state_ = c == ':' ? State::value : State::broken;
      return;
    case State::value:
      if (!is_blank(c)) begin_value(c);
      return;
    case State::string:
      if (member_ == Member::id) append_bounded(id_, c, kIdTextBytesMax);
      if (std::exchange(escaped_, !escaped_ && c == '\\') || c != '"') return;
      return end_value();
    case State::word:
      if (!is_blank(c) && c != ',' && c != '}') {
        if (member_ == Member::id) append_bounded(id_, c, kIdTextBytesMax);
        return;
      }
      end_value();
      return take(c);
    case State::nested:
      if (in_string_) {
        if (!std::exchange(escaped_, !escaped_ && c == '\\') && c == '"') in_string_ = false;
      } else if (c == '"') {
        in_string_ = true;
      } else if (c == '{' || c == '[') {
        ++depth_;
      } else if ((c == '}' || c == ']') && --depth_ == 0) {
        end_value();
      }
      return;
    case State::comma:
      if (!is_blank(c)) state_ = c == ',' ? State::key_or_end : c == '}' ? State::over : State::broken;
      return;
    case State::over:
    case State::broken:
      return;
  }
}

// What a message is shows already by the keys that it has.
void EnvelopeScanner::end_key() {
  member_ = member();
  has_method_ |= member_ == Member::method;
  has_outcome_ |= member_ == Member::outcome;
  state_ = State::colon;
}

void EnvelopeScanner::begin_value(char c) {
  if (member_ == Member::id) id_ = c;
  if (c == '{' || c == '[') {
    depth_ = 1;
    state_ = State::nested;
  } else {
    state_ = c == '"' ? State::string : State::word;
  }
}

void EnvelopeScanner::end_value() {
  if (std::exchange(member_, Member::other) == Member::id) ++ids_;
  state_ = State::comma;
}

EnvelopeScanner::Member EnvelopeScanner::member() const {
  json::Document key;
  if (json::parse(key_, key)) return Member::other;
  const std::string_view name = json::view(key);
  if (name == "id") return Member::id;
  if (name == "method") return Member::method;
  return name == "result" || name == "error" ? Member::outcome : Member::other;
}

void EnvelopeScanner::read_into(Message& out) const {
  out.id = Id();
  json::Document id;
  if (ids_ == 1 && !json::parse(id_, id)) out.id = Id::from(id).value_or(Id());
  if (out.id.text().size() > limits::kIdBytesMax) out.id = Id();
  const bool without_id = state_ == State::over && ids_ == 0;
  if (has_method_) {
    out.kind = without_id ? Message::Kind::notification : Message::Kind::request;
  } else {
    out.kind = has_outcome_ ? Message::Kind::response : Message::Kind::request;
  }
}

}  // namespace collet::rpc
