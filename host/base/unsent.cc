#include "base/unsent.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace collet {
namespace {

constexpr std::size_t kChunkBytesMin = 1u << 10;

}  // namespace

std::size_t Unsent::front(std::span<std::string_view> out) const {
  const std::size_t count = std::min(out.size(), chunks_.size());
  for (std::size_t i = 0; i < count; ++i) out[i] = chunks_[i].view();
  return count;
}

std::string_view Unsent::front() const { return empty() ? std::string_view() : chunks_.front().view(); }

void Unsent::append(std::string_view bytes) {
  while (!bytes.empty()) {
    if (chunks_.empty() || chunks_.back().end == chunks_.back().capacity) {
      const std::size_t capacity = std::clamp(std::max(bytes.size(), size_), kChunkBytesMin, kChunkBytesMax);
      chunks_.push_back({std::make_unique_for_overwrite<char[]>(capacity), capacity});
      held_ += capacity;
    }
    Chunk& last = chunks_.back();
    const std::size_t fits = std::min(bytes.size(), last.capacity - last.end);
    std::memcpy(last.bytes.get() + last.end, bytes.data(), fits);
    last.end += fits;
    size_ += fits;
    bytes.remove_prefix(fits);
  }
}

void Unsent::drop(std::size_t count) {
  COLLET_ASSERT(count <= size_);
  size_ -= count;
  while (count > 0) {
    Chunk& first = chunks_.front();
    const std::size_t taken = std::min(count, first.end - first.begin);
    first.begin += taken;
    count -= taken;
    if (first.begin < first.end) return;
    held_ -= first.capacity;
    chunks_.pop_front();
  }
}

void Unsent::clear() {
  chunks_.clear();
  size_ = held_ = 0;
}

}  // namespace collet
