// What becomes of memory that has been freed. The kernel clears each page that it gives, which takes longer than to write a large
// message into it: so what one has left is kept for the next, and given back when none has come for a while.
#pragma once

#include <cstddef>

namespace collet::freed_memory {

// So much is kept at the end of each heap of the C library: what some connections need at once.
inline constexpr std::size_t kKeptBytes = 64u << 20;
// What is as large has a mapping of its own, which is given back when it is freed.
inline constexpr std::size_t kMappedBytesMin = 16u << 20;
// What is smaller the C library keeps without being told.
inline constexpr std::size_t kLargeBytes = 128u << 10;

// From now on it is kept, where the C library can be told. Before there are other threads.
void keep();

// The calling thread frees so many bytes of a message.
void note(std::size_t bytes);
// Whether it has freed a large one since this was asked.
bool take_note();

// Any thread. Gives back what all heaps keep.
void give_back();

}  // namespace collet::freed_memory
