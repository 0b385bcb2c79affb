// Keeps two `collet setup` of one person from changing files at once.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"

namespace collet::cli {

// Held until it is destroyed, or the process ends, however it does.
class SetupLock {
 public:
  // Makes the folder of `file`, and the file. Fails if that cannot be, and at once if another process has the lock.
  static Result<std::unique_ptr<SetupLock>> take(const std::filesystem::path& file);
  ~SetupLock();
  SetupLock(const SetupLock&) = delete;
  SetupLock& operator=(const SetupLock&) = delete;

 private:
  SetupLock(std::filesystem::path file, int fd) : file_(std::move(file)), fd_(fd) {}

  const std::filesystem::path file_;
  const int fd_;
};

}  // namespace collet::cli
