// The chunked transfer coding (RFC 9112 §7.1), decoded in place.
#pragma once

#include <cstddef>
#include <cstdint>

namespace collet::transport {

// Takes the framing out of a body as it arrives. Keeps no bytes, so it may be copied and the bytes may move.
class ChunkDecoder {
 public:
  enum class Status : std::uint8_t { need_more, complete, malformed, too_large };

  explicit ChunkDecoder(std::size_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

  // Decodes [in, end): the content of chunks is moved to `out`, which may lie before `in` in the same buffer; `in`
  // and `out` advance. Trailers are dropped. At `complete`, `in` is past the last byte of the body.
  Status decode(char*& in, char* end, char*& out);
  // From now on the body may have so many bytes, also after `too_large`: then it goes on where it was. False: it is larger already.
  [[nodiscard]] bool allow(std::size_t body_bytes_max) {
    body_bytes_max_ = body_bytes_max;
    const std::uint64_t announced = body_bytes_ + (phase_ == Phase::size ? chunk_left_ : 0);
    return announced <= body_bytes_max;
  }

 private:
  enum class Phase : std::uint8_t {
    size_first,
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer,
    trailer_lf
  };

  Status step(char byte);
  Status size_digit(char byte);
  Status trailer_byte(char byte);

  std::size_t body_bytes_max_;
  std::size_t body_bytes_ = 0;
  std::uint64_t chunk_left_ = 0;
  std::uint32_t line_bytes_ = 0;
  std::uint32_t trailer_bytes_ = 0;
  Phase phase_ = Phase::size_first;
};

}  // namespace collet::transport
