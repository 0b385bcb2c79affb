// Bytes on their way out that were not taken at once: a queue whose memory follows what still waits.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string_view>

namespace collet {

// Kept in chunks, each freed when its last byte has been taken: at most two chunks more are held than what waits.
// Bytes that wait do not move while others are appended.
class Unsent {
 public:
  static constexpr std::size_t kChunkBytesMax = 64u << 10;

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t held_bytes() const { return held_; }

  // The first bytes, in as many pieces as `out` has room for; how many pieces that are.
  std::size_t front(std::span<std::string_view> out) const;
  // The first bytes, in one piece.
  std::string_view front() const;
  // Shows all, piece by piece.
  template <class Look>
  void each(Look&& look) const {
    for (const Chunk& chunk : chunks_) look(chunk.view());
  }

  void append(std::string_view bytes);
  // The first `count` bytes have been taken.
  void drop(std::size_t count);
  void clear();

 private:
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    std::size_t capacity;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string_view view() const { return {bytes.get() + begin, end - begin}; }
  };

  std::deque<Chunk> chunks_;  // none is empty
  std::size_t size_ = 0;
  std::size_t held_ = 0;
};

}  // namespace collet
