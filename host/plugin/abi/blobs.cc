#include "plugin/abi/blobs.h"

#include <cstdlib>

namespace collet::plugin {

void Blob::Free::operator()(void* memory) const {
  if (from) {
    from->give_back(memory);
  } else {
    std::free(memory);
  }
}

std::uint64_t Blobs::create(std::size_t size, void** data) {
  if (size > limits::kBlobBytesMax) return 0;
  const std::lock_guard lock(mutex_);
  if (blobs_.size() >= limits::kBlobsMax || bytes_ + size > limits::kBlobsBytesMax) return 0;
  // Zeroed: what a plugin leaves unwritten must not show a client the host's memory.
  BlobMemory* from = memory_;
  void* memory = from ? from->take(size) : nullptr;
  if (!memory) {
    from = nullptr;
    memory = std::calloc(size ? size : 1, 1);
  }
  Blob blob{decltype(Blob::data)(static_cast<char*>(memory), Blob::Free{from}), size};
  if (!blob.data) return 0;
  *data = blob.data.get();
  bytes_ += size;
  blobs_.emplace(++last_id_, std::move(blob));
  return last_id_;
}

std::optional<Blob> Blobs::take(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = blobs_.find(id);
  if (found == blobs_.end()) return std::nullopt;
  Blob blob = std::move(found->second);
  blobs_.erase(found);
  bytes_ -= blob.size;
  return blob;
}

std::size_t Blobs::count() const {
  const std::lock_guard lock(mutex_);
  return blobs_.size();
}

}  // namespace collet::plugin
