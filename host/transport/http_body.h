// The body of one request that is handed on as it comes, and not kept: takes its framing out of the connection's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "transport/chunked.h"

namespace collet::transport {

class HttpBody {
 public:
  enum class Status : std::uint8_t { need_more, complete, malformed, too_large };

  // So many bytes are still to come.
  explicit HttpBody(std::size_t content_length) : left_(content_length), chunks_(0) {}
  // The rest comes in chunks.
  explicit HttpBody(const ChunkDecoder& chunks) : chunked_(true), chunks_(chunks) {}

  // Takes from the front of `bytes` what is of the body; `piece` is its content, in the same place, of which the framing may have been
  // taken out. At `complete`, `bytes` are those behind the body.
  Status take(std::span<char>& bytes, std::string_view& piece);

 private:
  const bool chunked_ = false;
  std::size_t left_ = 0;  // if it is not chunked
  ChunkDecoder chunks_;
};

}  // namespace collet::transport
