#include "base/freed_memory.h"

#include <sys/resource.h>

#include <cstring>
#include <memory>
#include <vector>

#include "support/catch.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

using namespace collet;

namespace {

// The pages that the kernel has to give for so many bytes, taken in pieces of a megabyte, written to and freed.
long pages_for(std::size_t bytes) {
  constexpr std::size_t kPiece = 1u << 20;
  rusage before, after;
  getrusage(RUSAGE_THREAD, &before);
  std::vector<std::unique_ptr<char[]>> pieces;
  for (std::size_t taken = 0; taken < bytes; taken += kPiece) {
    pieces.push_back(std::make_unique_for_overwrite<char[]>(kPiece));
    std::memset(pieces.back().get(), 1, kPiece);
  }
  pieces.clear();
  getrusage(RUSAGE_THREAD, &after);
  return after.ru_minflt - before.ru_minflt;
}

}  // namespace

TEST_CASE("freed memory is kept up to the limit, and beyond it given back") {
  constexpr std::size_t kPageBytes = 4096;
  keep_freed_memory();
  for (const std::size_t bytes : {std::size_t{kFreedBytesKept} - (2u << 20), std::size_t{kFreedBytesKept} * 2}) {
    pages_for(bytes);
    const bool kept = pages_for(bytes) < static_cast<long>(bytes / kPageBytes / 10);
    CHECK(kept == (bytes < kFreedBytesKept));
  }
  constexpr std::size_t kLittle = 2u << 20;
  pages_for(kLittle);
  give_freed_memory_back();
  CHECK(pages_for(kLittle) > static_cast<long>(kLittle / kPageBytes / 2));
}

#endif
