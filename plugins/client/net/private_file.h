// Files that hold secrets. Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <collet/kit/descriptor.hpp>

#include "client/net/result.h"

namespace collet::client {

// The whole file; nothing if there is none. A file that others than its owner may read, that belongs to another
// user, or that is larger is a failure.
Result<std::optional<std::string>> read_private_file(const std::string& path, std::size_t bytes_max);

// A file that somebody else manages, such as a mounted key or token: whoever may read it.
Result<std::string> read_secret(const std::string& path, std::size_t bytes_max);

// Replaces the file whole, or leaves it as it was, also when the disk is full or the process is killed. Mode 0600.
// For one writer at a time: see FileLock.
Result<void> replace_private_file(const std::string& path, std::string_view content);

// Held by one process at a time, beside the file that it guards; gone with the process.
class FileLock {
 public:
  // Nothing while somebody else holds it; file_locks.h has who can wait. Creates the directory of `path` if it is
  // missing.
  static Result<std::optional<FileLock>> try_take(const std::string& path);

  // Holds nothing.
  FileLock() = default;
  FileLock(FileLock&&) = default;
  FileLock& operator=(FileLock&&) = delete;

 private:
  explicit FileLock(kit::Descriptor file) : file_(std::move(file)) {}

  kit::Descriptor file_;
};

}  // namespace collet::client
