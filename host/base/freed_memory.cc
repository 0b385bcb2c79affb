#include "base/freed_memory.h"

#include <utility>

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace collet::freed_memory {
namespace {

thread_local bool noted = false;

}  // namespace

// Left to itself glibc keeps twice the largest block that was freed, which a request, its parsed copy and its answer exceed.
void keep() {
#ifdef M_TRIM_THRESHOLD
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  mallopt(M_MMAP_THRESHOLD, kMappedBytesMin);
#endif
}

void note(std::size_t bytes) {
  if (bytes >= kLargeBytes) noted = true;
}

bool take_note() { return std::exchange(noted, false); }

void give_back() {
#ifdef M_TRIM_THRESHOLD
  malloc_trim(0);
#endif
}

}  // namespace collet::freed_memory
