// Reading a part of a regular file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "files/roots.h"

namespace files {

// Asked between steps of long work: true once nobody waits for the answer any more.
using Cancelled = std::function<bool()>;

struct Part {
  std::string bytes;
  std::uint64_t file_size = 0;
  std::uint64_t offset = 0;      // of `bytes` in the file
  std::uint64_t first_line = 0;  // counted from 1; read_lines() only
  std::uint64_t last_line = 0;   // of which `bytes` has at least the beginning; read_lines() only
  bool at_end = false;           // the file ends where `bytes` does
  bool line_is_cut = false;      // last_line goes on; read_lines() only
};

// At most `length` bytes from `offset` on. Throws Failure.
Part read_bytes(const Location& location, std::uint64_t offset, std::uint64_t length);

// At most `count` lines from `first` on, counted from 1, and no more than `bytes_max` bytes. Throws Failure.
Part read_lines(const Location& location, std::uint64_t first, std::uint64_t count, std::size_t bytes_max,
                const Cancelled& cancelled);

// The whole file into `out`, whose capacity is kept for the next; false if it is longer than `bytes_max`. Throws
// Failure.
bool read_whole(const Location& location, std::size_t bytes_max, std::string& out);

}  // namespace files
