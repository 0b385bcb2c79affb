// Memory that a host and its worker share, for blobs that are too large to be sent. The worker fills blocks of it,
// and names them; the host copies from them, and says when it has.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/descriptor.h"
#include "base/limits.h"
#include "base/result.h"
#include "plugin/abi/blobs.h"

namespace collet::worker {

// The host's side: reads only. The worker may write at any time, so what is read must be copied before it is looked
// at.
class ArenaView {
 public:
  ArenaView() = default;
  // New memory of kWorkerArenaBytesMax bytes, which nobody can make shorter.
  static Result<ArenaView> create();
  ArenaView(ArenaView&& other) noexcept;
  ArenaView& operator=(ArenaView&& other) noexcept;
  ~ArenaView();

  int descriptor() const { return memory_.get(); }
  // Where a worker records its end, behind the blocks.
  static constexpr std::size_t kRecordOffset = limits::kWorkerArenaBytesMax;
  // Nothing if the block is not inside.
  std::optional<std::string_view> block(std::uint64_t offset, std::uint64_t size) const;

 private:
  Descriptor memory_;
  const char* at_ = nullptr;
};

// The worker's side: gives out blocks. Any thread.
class Arena final : public plugin::BlobMemory {
 public:
  // Maps what the host has made; `descriptor` is borrowed until this returns.
  static Result<std::unique_ptr<Arena>> map(int descriptor);
  ~Arena() override;

  // Null for what is small, or if there is no room.
  void* take(std::size_t size) override;
  void give_back(void* memory) override;
  // Where in the arena it lies; nothing if it does not.
  std::optional<std::uint64_t> offset_of(const void* memory) const;
  void give_back_at(std::uint64_t offset);

 private:
  explicit Arena(char* at) : at_(at) {}

  char* const at_;
  std::mutex mutex_;                               // guards all below
  std::map<std::uint64_t, std::uint64_t> blocks_;  // taken: offset to size
  std::uint64_t used_up_to_ = 0;                   // beyond, everything is zero still
};

}  // namespace collet::worker
