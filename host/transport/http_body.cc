#include "transport/http_body.h"

#include <algorithm>

namespace collet::transport {

HttpBody::Status HttpBody::take(std::span<char>& bytes, std::string_view& piece) {
  if (!chunked_) {
    const std::size_t size = std::min(left_, bytes.size());
    piece = {bytes.data(), size};
    bytes = bytes.subspan(size);
    left_ -= size;
    return left_ == 0 ? Status::complete : Status::need_more;
  }
  char* const begin = bytes.data();
  char* in = begin;
  char* out = begin;
  const ChunkDecoder::Status status = chunks_.decode(in, begin + bytes.size(), out);
  piece = {begin, static_cast<std::size_t>(out - begin)};
  bytes = bytes.subspan(static_cast<std::size_t>(in - begin));
  switch (status) {
    case ChunkDecoder::Status::need_more:
      return Status::need_more;
    case ChunkDecoder::Status::complete:
      return Status::complete;
    case ChunkDecoder::Status::too_large:
      return Status::too_large;
    case ChunkDecoder::Status::malformed:
      break;
  }
  return Status::malformed;
}

}  // namespace collet::transport
