// The outside of a message that cannot be read as a whole: whom to answer, if anybody.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rpc/message.h"

namespace collet::rpc {

// Looks only for the members of the outermost object, and takes any bytes for the rest: strings that are not UTF-8,
// numbers out of range, any depth. It keeps no more than one key and one id, however long the message is.
class EnvelopeScanner {
 public:
  // The next bytes of the message.
  void feed(std::string_view bytes);
  // What is known will not change, whatever follows.
  bool settled() const;
  // Sets the kind, and the id where it can be read and is there once. A message that breaks off before it says what
  // it is counts as a request.
  void read_into(Message& out) const;

 private:
  enum class State : std::uint8_t {
    before,
    key_or_end,
    key,
    colon,
    value,
    string,
    word,
    nested,
    comma,
    over,
    broken
  };
  enum class Member : std::uint8_t { other, id, method, outcome };

  void take(char c);
  void end_key();
  void begin_value(char c);
  void end_value();
  Member member() const;

  State state_ = State::before;
  Member member_ = Member::other;
  bool escaped_ = false;    // by a backslash before
  bool in_string_ = false;  // of a nested value
  unsigned depth_ = 0;      // of a nested value
  std::string key_;         // with its quotes
  std::string id_;          // exact text
  unsigned ids_ = 0;
  bool has_method_ = false;
  bool has_outcome_ = false;  // result or error
};

}  // namespace collet::rpc
