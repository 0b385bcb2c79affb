#include "worker/talk/arena.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/limits.h"
#include "plugin/crash/record.h"

namespace collet::worker {
namespace {

constexpr std::uint64_t kBytes = limits::kWorkerArenaBytesMax;
constexpr std::uint64_t kAlignment = 4096;

constexpr std::uint64_t aligned(std::uint64_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

Result<ArenaView> ArenaView::create() {
  ArenaView arena;
  arena.memory_ = Descriptor(memfd_create("collet-arena", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const int fd = arena.memory_.get();
  // A worker that could shorten it would have its host die of SIGBUS.
  if (fd < 0 || ftruncate(fd, static_cast<off_t>(kBytes + plugin::crash::kRecordBytes)) != 0 ||
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return error("cannot make shared memory for a worker: {}", std::strerror(errno));
  }
  void* at = mmap(nullptr, kBytes, PROT_READ, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return error("cannot map shared memory for a worker: {}", std::strerror(errno));
  arena.at_ = static_cast<const char*>(at);
  return arena;
}

ArenaView::ArenaView(ArenaView&& other) noexcept
    : memory_(std::move(other.memory_)), at_(std::exchange(other.at_, nullptr)) {}

ArenaView& ArenaView::operator=(ArenaView&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(at_, other.at_);
  return *this;
}

ArenaView::~ArenaView() {
  if (at_) munmap(const_cast<char*>(at_), kBytes);
}

std::optional<std::string_view> ArenaView::block(std::uint64_t offset, std::uint64_t size) const {
  if (!at_ || offset > kBytes || size > kBytes - offset) return std::nullopt;
  return std::string_view(at_ + offset, size);
}

Result<std::unique_ptr<Arena>> Arena::map(int descriptor) {
  void* at = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (at == MAP_FAILED) return error("cannot map the shared memory: {}", std::strerror(errno));
  return std::unique_ptr<Arena>(new Arena(static_cast<char*>(at)));
}

Arena::~Arena() { munmap(at_, kBytes); }

void* Arena::take(std::size_t size) {
  if (size < limits::kWorkerArenaBlobBytesMin || size > kBytes) return nullptr;
  const std::uint64_t wanted = aligned(size);
  std::uint64_t offset = 0;
  std::uint64_t dirty = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [begin, taken] : blocks_) {
      if (begin - offset >= wanted) break;
      offset = begin + taken;
    }
    if (wanted > kBytes - offset) return nullptr;
    blocks_.emplace(offset, wanted);
    dirty = offset < used_up_to_ ? std::min<std::uint64_t>(used_up_to_ - offset, size) : 0;
    used_up_to_ = std::max(used_up_to_, offset + wanted);
  }
  std::memset(at_ + offset, 0, dirty);
  return at_ + offset;
}

void Arena::give_back(void* memory) { give_back_at(static_cast<std::uint64_t>(static_cast<char*>(memory) - at_)); }

std::optional<std::uint64_t> Arena::offset_of(const void* memory) const {
  const auto* bytes = static_cast<const char*>(memory);
  if (bytes < at_ || bytes >= at_ + kBytes) return std::nullopt;
  return static_cast<std::uint64_t>(bytes - at_);
}

void Arena::give_back_at(std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  blocks_.erase(offset);
}

}  // namespace collet::worker
