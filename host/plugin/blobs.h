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

struct Blob {
  struct Free {
    void operator()(void* memory) const;
  };
  std::unique_ptr<char, Free> data;  // zeroed
  std::size_t size = 0;
  std::string_view view() const { return {data.get(), size}; }
};

// Any thread. Bounded by kBlobsMax and kBlobsBytesMax; what a plugin forgets is freed with the generation.
class Blobs {
 public:
  // The new blob's id and its memory; 0 past a limit.
  std::uint64_t create(std::size_t size, void** data);
  // Takes it out; nothing if there is none of that id.
  std::optional<Blob> take(std::uint64_t id);

 private:
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Blob> blobs_;
  std::size_t bytes_ = 0;
  std::uint64_t last_id_ = 0;
};

}  // namespace collet::plugin
