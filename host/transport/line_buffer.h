// Lines out of bytes that come in any pieces: no I/O. What it shows is borrowed until space() is called.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace collet::transport {

class LineBuffer {
 public:
  explicit LineBuffer(std::size_t line_bytes_max);

  // Where the next bytes go; never empty. Then add() says how many have come.
  std::span<char> space();
  void add(std::size_t bytes) { size_ += bytes; }

  struct Line {
    std::string_view text;
    bool too_long;  // then `text` is the last piece of it
  };
  // The next line that has its end, without that; not one that is empty.
  std::optional<Line> next();
  // What follows the last line end, when no more comes: a line, unless it is empty.
  std::optional<Line> rest();
  // If that is more than a line may have: another piece of it, the first one or one that has come since. After next() has none.
  std::optional<std::string_view> piece();
  // What follows the last line end will not become a line.
  void drop_rest();

 private:
  void make_room();
  std::optional<Line> line(std::string_view text);

  const std::size_t line_bytes_max_;
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;    // of the first line not yet shown
  std::size_t scanned_ = 0;  // no line end before this
  std::size_t size_ = 0;
  bool skipping_ = false;  // pieces of this line have been shown: it is too long
};

}  // namespace collet::transport
