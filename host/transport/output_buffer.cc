#include "transport/output_buffer.h"

#include <cstddef>

#include "transport/http_output.h"

namespace collet::transport {
namespace {

constexpr std::size_t kOutputKeptBytesMax = 256u << 10;

}  // namespace

std::string& OutputBuffer::of(HttpOutput& output) {
  if (owner_ != &output) {
    if (owner_) owner_->flush();
    owner_ = &output;
    if (gathered_.capacity() > kOutputKeptBytesMax) gathered_ = {};
    gathered_.clear();
  }
  return gathered_;
}

std::string* OutputBuffer::release(HttpOutput& output) {
  if (owner_ != &output) return nullptr;
  owner_ = nullptr;
  return &gathered_;
}

}  // namespace collet::transport
