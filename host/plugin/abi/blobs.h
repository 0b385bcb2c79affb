// Host memory that a plugin fills in place: the blobs of one generation.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/limits.h"

namespace collet::plugin {

// Where blobs lie, if not on the heap. Any thread.
class BlobMemory {
 public:
  virtual ~BlobMemory() = default;
  // Zeroed memory, or null if there is none left here; then the heap is taken.
  virtual void* take(std::size_t size) = 0;
  virtual void give_back(void* memory) = 0;
};

struct Blob {
  struct Free {
    BlobMemory* from = nullptr;  // null: the heap
    void operator()(void* memory) const;
  };
  std::unique_ptr<char, Free> data;  // zeroed
  std::size_t size = 0;
  std::string_view view() const { return {data.get(), size}; }
};

// Any thread. Bounded by kBlobsMax and kBlobsBytesMax; what a plugin forgets is freed with the generation.
class Blobs {
 public:
  // `memory` is borrowed; null: the heap.
  explicit Blobs(BlobMemory* memory = nullptr) : memory_(memory) {}

  // The new blob's id and its memory; 0 past a limit.
  std::uint64_t create(std::size_t size, void** data);
  // Takes it out; nothing if there is none of that id.
  std::optional<Blob> take(std::uint64_t id);
  std::size_t count() const;

 private:
  BlobMemory* const memory_;
  mutable std::mutex mutex_;  // guards all below
  std::unordered_map<std::uint64_t, Blob> blobs_;
  std::size_t bytes_ = 0;
  std::uint64_t last_id_ = 0;
};

}  // namespace collet::plugin
