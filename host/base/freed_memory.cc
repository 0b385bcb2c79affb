#include "base/freed_memory.h"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace collet {

// Left to itself glibc keeps twice the largest block that was freed, which a request, its parsed copy and its answer exceed.
void keep_freed_memory() {
#ifdef M_TRIM_THRESHOLD
  mallopt(M_TRIM_THRESHOLD, kFreedBytesKept);
  mallopt(M_MMAP_THRESHOLD, kMappedBytesMin);
#endif
}

void give_freed_memory_back() {
#ifdef M_TRIM_THRESHOLD
  malloc_trim(0);
#endif
}

}  // namespace collet
