// The configuration file of an MCP client on the disk.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/result.h"
#include "foreign/reader.h"
#include "foreign/source.h"

namespace collet::foreign {

// A descriptor as a source, which borrows it.
Source::Read read_from(int fd);

// What `use`, which is given a Source and returns a Result, makes of the file.
template <class Use>
auto with_source(const std::filesystem::path& file, Use&& use) -> decltype(use(std::declval<Source&>())) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return error("cannot open {}: {}", file.string(), std::strerror(errno));
  Source source(read_from(fd));
  auto result = use(source);
  close(fd);
  return result;
}

// Has the disk keep that the file is in its folder, or is no longer.
void sync_folder_of(const std::filesystem::path& file);

// Where the file is or will be: what links lead to, even if it is not there.
std::filesystem::path real_path(const std::filesystem::path& file);

// Reads it in pieces: what it has beside servers takes no memory.
Result<Findings> read_file(const Origin& origin);

}  // namespace collet::foreign
