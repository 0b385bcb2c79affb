#include "files/read.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

namespace files {
namespace {

constexpr std::size_t kChunkBytes = 128u << 10;
constexpr std::uint64_t kOffsetMax = std::uint64_t{1} << 62;  // past any file, and any length away from overflow

// Reads until `size` bytes are there or the file ends; how many there are.
std::size_t read_at(const Descriptor& file, const Location& location, std::uint64_t offset, char* to,
                    std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(file.get(), to + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw failed("read", location, errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

std::uint64_t size_of(const Descriptor& file, const Location& location) {
  struct stat status;
  if (::fstat(file.get(), &status) != 0) throw failed("read", location, errno);
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

Part read_bytes(const Location& location, std::uint64_t offset, std::uint64_t length) {
  const Descriptor file = location.open_file();
  Part part;
  part.file_size = size_of(file, location);
  part.offset = std::min(offset, kOffsetMax);
  // A file in /proc or one that grows has more than its size says; one byte past the end tells.
  part.bytes.resize(static_cast<std::size_t>(length) + 1);
  part.bytes.resize(read_at(file, location, part.offset, part.bytes.data(), part.bytes.size()));
  part.at_end = part.bytes.size() <= length;
  if (!part.at_end) part.bytes.pop_back();
  return part;
}

Part read_lines(const Location& location, std::uint64_t first, std::uint64_t count, std::size_t bytes_max,
                const Cancelled& cancelled) {
  const Descriptor file = location.open_file();
  Part part;
  part.file_size = size_of(file, location);
  part.first_line = first;
  std::uint64_t line = 1;
  std::string chunk(kChunkBytes, '\0');
  for (std::uint64_t at = 0; !cancelled(); at += kChunkBytes) {
    const std::size_t size = read_at(file, location, at, chunk.data(), kChunkBytes);
    const char* p = chunk.data();
    const char* const end = p + size;
    while (p < end) {
      if (line == first && part.bytes.empty()) part.offset = at + static_cast<std::uint64_t>(p - chunk.data());
      const auto* newline = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
      const char* const stop = newline ? newline + 1 : end;
      if (line >= first) {
        if (line - first == count) return part;
        const auto room = bytes_max - part.bytes.size();
        const auto wanted = static_cast<std::size_t>(stop - p);
        if (room > 0) part.last_line = line;
        part.bytes.append(p, std::min(room, wanted));
        if (wanted > room) {
          part.line_is_cut = !part.bytes.ends_with('\n');
          return part;
        }
      }
      if (newline) ++line;
      p = stop;
    }
    if (size < kChunkBytes) {
      part.at_end = true;
      break;
    }
  }
  return part;
}

bool read_whole(const Location& location, std::size_t bytes_max, std::string& out) {
  const Descriptor file = location.open_file();
  const std::uint64_t expected = size_of(file, location);
  if (expected > bytes_max) return false;
  // A file in /proc has more than its size says, and others grow.
  out.resize(static_cast<std::size_t>(expected) + 1);
  std::size_t size = 0;
  while (true) {
    size += read_at(file, location, size, out.data() + size, out.size() - size);
    if (size < out.size() || size > bytes_max) break;
    out.resize(std::min(out.size() * 2, bytes_max + 1));
  }
  out.resize(size);
  return size <= bytes_max;
}

}  // namespace files
