// What becomes of memory that has been freed.
#pragma once

namespace collet {

// So much of it is kept at the end of each heap of the C library, for the next large message to find: the kernel has to clear what it
// gives anew.
inline constexpr int kFreedBytesKept = 8 << 20;
// What is as large has a mapping of its own, which is given back at once.
inline constexpr int kMappedBytesMin = 4 << 20;

// From now on it is so, where the C library can be told. Before there are other threads.
void keep_freed_memory();

// Gives back what is kept now.
void give_freed_memory_back();

}  // namespace collet
