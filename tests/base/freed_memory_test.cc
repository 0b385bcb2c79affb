#include "base/freed_memory.h"

#include <sys/resource.h>

#include <cstring>
#include <memory>
#include <vector>

#include "support/catch.h"

using namespace collet;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

constexpr std::size_t kPieceBytes = 1u << 20;

// The pages that the kernel has to give for so many bytes, taken in pieces, written to and freed.
std::size_t pages_for(std::size_t bytes) {
  rusage before, after;
  getrusage(RUSAGE_THREAD, &before);
  std::vector<std::unique_ptr<char[]>> pieces;
  for (std::size_t taken = 0; taken < bytes; taken += kPieceBytes) {
    pieces.push_back(std::make_unique_for_overwrite<char[]>(kPieceBytes));
    std::memset(pieces.back().get(), 1, kPieceBytes);
  }
  pieces.clear();
  getrusage(RUSAGE_THREAD, &after);
  return static_cast<std::size_t>(after.ru_minflt - before.ru_minflt);
}

}  // namespace

TEST_CASE("freed memory is kept up to the limit, and beyond it given back") {
  constexpr std::size_t kPageBytes = 4096;
  freed_memory::keep();
  for (const std::size_t bytes : {freed_memory::kKeptBytes - 2 * kPieceBytes, freed_memory::kKeptBytes + 2 * kPieceBytes}) {
    pages_for(bytes);
    const bool kept = pages_for(bytes) < bytes / kPageBytes / 10;
    CHECK(kept == (bytes < freed_memory::kKeptBytes));
  }
  pages_for(2 * kPieceBytes);
  freed_memory::give_back();
  CHECK(pages_for(2 * kPieceBytes) > 2 * kPieceBytes / kPageBytes / 2);
}

#endif

TEST_CASE("what a thread frees of a large message is noted once") {
  CHECK_FALSE(freed_memory::take_note());
  freed_memory::note(freed_memory::kLargeBytes - 1);
  CHECK_FALSE(freed_memory::take_note());
  freed_memory::note(freed_memory::kLargeBytes);
  CHECK(freed_memory::take_note());
  CHECK_FALSE(freed_memory::take_note());
}
