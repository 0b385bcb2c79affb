// Lines on their way out to a descriptor: what it does not take at once is kept, whoever waits for it to take more. One
// thread's.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/unsent.h"

namespace collet::transport {

class LineWriter {
 public:
  // The descriptor is borrowed.
  explicit LineWriter(int descriptor) : descriptor_(descriptor) {}

  // Sends the pieces and a line end, and keeps what is not taken at once. False if nobody takes anything any more: then
  // give_up() is to follow, as it is if this throws, since the rest of a line that is sent in part cannot be left out.
  [[nodiscard]] bool write(std::span<const std::string_view> pieces);
  // Sends what waits, or some of it. False as by write().
  [[nodiscard]] bool write_waiting();
  // Loses what waits. Nothing is written from then on: each line that should have been is one that is lost.
  void give_up();
  bool has_given_up() const { return given_up_; }
  void lose_line() { ++lost_lines_; }

  bool waits() const { return !waiting_.empty(); }
  std::size_t waiting_bytes() const { return waiting_.size(); }
  // By the other side, since the beginning.
  std::uint64_t taken_bytes() const { return taken_; }
  // Lines that it has not taken whole.
  std::size_t undelivered() const;

 private:
  std::optional<std::size_t> write_now(std::span<const iovec> pieces);

  const int descriptor_;
  Unsent waiting_;
  std::uint64_t taken_ = 0;     // bytes, by the other side
  std::size_t lost_lines_ = 0;  // that nobody can take any more
  bool given_up_ = false;
};

}  // namespace collet::transport
