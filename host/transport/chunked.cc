#include "transport/chunked.h"

#include <algorithm>
#include <cstring>

#include "base/limits.h"

namespace collet::transport {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_text(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); }

}  // namespace

ChunkDecoder::Status ChunkDecoder::decode(char*& in, char* end, char*& out) {
  while (in != end) {
    if (phase_ == Phase::data) {
      const std::size_t piece = std::min<std::uint64_t>(chunk_left_, end - in);
      std::memmove(out, in, piece);
      in += piece;
      out += piece;
      chunk_left_ -= piece;
      if (chunk_left_ == 0) phase_ = Phase::data_cr;
      continue;
    }
    const Status status = step(*in++);
    if (status != Status::need_more) return status;
  }
  return Status::need_more;
}

ChunkDecoder::Status ChunkDecoder::step(char byte) {
  switch (phase_) {
    case Phase::size_first:
    case Phase::size:
      return size_digit(byte);
    case Phase::extension:
      if (++line_bytes_ > limits::kHttpChunkLineBytesMax) return Status::malformed;
      if (byte == '\r') {
        phase_ = Phase::size_lf;
        return Status::need_more;
      }
      return is_text(byte) ? Status::need_more : Status::malformed;
    case Phase::size_lf:
      if (byte != '\n') return Status::malformed;
      line_bytes_ = 0;
      phase_ = chunk_left_ > 0 ? Phase::data : Phase::trailer;
      return Status::need_more;
    case Phase::data_cr:
      phase_ = Phase::data_lf;
      return byte == '\r' ? Status::need_more : Status::malformed;
    case Phase::data_lf:
      phase_ = Phase::size_first;
      return byte == '\n' ? Status::need_more : Status::malformed;
    case Phase::trailer:
      return trailer_byte(byte);
    case Phase::trailer_lf:
      ++trailer_bytes_;
      if (byte != '\n') return Status::malformed;
      if (line_bytes_ == 0) return Status::complete;
      line_bytes_ = 0;
      phase_ = Phase::trailer;
      return Status::need_more;
    case Phase::data:
      break;
  }
  return Status::malformed;
}

ChunkDecoder::Status ChunkDecoder::size_digit(char byte) {
  const int digit = hex_digit(byte);
  if (digit < 0) {
    if (phase_ == Phase::size_first) return Status::malformed;
    if (byte == '\r') {
      phase_ = Phase::size_lf;
    } else if (byte == ';' || byte == ' ' || byte == '\t') {
      phase_ = Phase::extension;
    } else {
      return Status::malformed;
    }
    body_bytes_ += chunk_left_;
    return Status::need_more;
  }
  if (++line_bytes_ > limits::kHttpChunkLineBytesMax) return Status::malformed;
  phase_ = Phase::size;
  chunk_left_ = chunk_left_ * 16 + static_cast<unsigned>(digit);
  return chunk_left_ > body_bytes_max_ - body_bytes_ ? Status::too_large : Status::need_more;
}

ChunkDecoder::Status ChunkDecoder::trailer_byte(char byte) {
  if (++trailer_bytes_ > limits::kHttpTrailerBytesMax) return Status::malformed;
  if (byte == '\r') {
    phase_ = Phase::trailer_lf;
    return Status::need_more;
  }
  if (++line_bytes_ > limits::kHttpChunkLineBytesMax) return Status::malformed;
  return is_text(byte) ? Status::need_more : Status::malformed;
}

}  // namespace collet::transport
