// The characters of a file, one after the other.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/document.h"

namespace collet::foreign {

// Reads in pieces, so that a file may be larger than memory. What comes out is UTF-8 without a byte order mark,
// also of a file in UTF-16, whose lone surrogates become U+FFFD; bytes of a file in UTF-8 are not checked.
class Source {
 public:
  static constexpr int kEnd = -1;

  // Puts at most `room` bytes to `to` and returns how many; 0 at the end.
  using Read = std::function<Result<std::size_t>(char* to, std::size_t room)>;
  explicit Source(Read read) : read_(std::move(read)) {}
  // Of a text, which is borrowed.
  explicit Source(std::string_view text);
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // The next byte, which stays, or kEnd.
  int peek() { return at_ < piece_.size() || fill() ? static_cast<unsigned char>(piece_[at_]) : kEnd; }
  // The next byte, which is passed, or kEnd.
  int take();
  // What take() passes is also added to `to`, which is borrowed, from now on; no longer if that is null.
  void copy_to(std::string* to) { copy_ = to; }
  // Passes all bytes up to one of the two, or to the end.
  void skip_to(char one, char other);

  // Of the next byte.
  config::Position position() const { return position_; }
  // How many bytes of the file are in front of the next byte. Of no use in a file in UTF-16.
  std::uint64_t offset() const { return offset_ + at_; }
  bool is_utf16() const { return encoding_ != Encoding::utf8; }
  // Why reading stopped before the end; kEnd is returned since then.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  enum class Encoding : std::uint8_t { utf8, utf16_le, utf16_be };

  bool fill();
  bool read_raw();
  void find_encoding();
  void decode_utf16();
  void append_unit(unsigned unit);

  Read read_;
  std::string raw_;    // as it was read, of UTF-16: what is not decoded yet
  std::string piece_;  // what is given out
  std::size_t at_ = 0;
  std::uint64_t offset_ = 0;  // of the piece
  config::Position position_;
  Encoding encoding_ = Encoding::utf8;
  std::string* copy_ = nullptr;
  bool is_begun_ = false;
  unsigned high_ = 0;  // a high surrogate that waits for its low one
  std::optional<Error> failure_;
};

// All of the rest, for readers that need it at once; an error if that has more than `bytes_max` bytes.
Result<std::string> read_all(Source& source, std::size_t bytes_max);

}  // namespace collet::foreign
