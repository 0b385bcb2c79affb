#include "cli/setup_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace collet::cli {
namespace {

namespace fs = std::filesystem;

// Whoever has a lock removes its file: the one that we wait for may no longer be that of others.
bool is_still(const fs::path& file, int fd) {
  struct stat ours, there;
  return fstat(fd, &ours) == 0 && stat(file.c_str(), &there) == 0 && ours.st_ino == there.st_ino &&
         ours.st_dev == there.st_dev;
}

}  // namespace

Result<std::unique_ptr<SetupLock>> SetupLock::take(const fs::path& file) {
  std::error_code failure;
  fs::create_directories(file.parent_path(), failure);
  if (failure)
    return error("nothing is changed: cannot make the folder {}: {}", file.parent_path().string(),
                 failure.message());
  while (true) {
    const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return error("nothing is changed: cannot write {}: {}", file.string(), std::strerror(errno));
    const bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    const int cause = errno;
    if (locked && is_still(file, fd)) return std::unique_ptr<SetupLock>(new SetupLock(file, fd));
    close(fd);
    if (!locked && cause == EWOULDBLOCK)
      return error("another `collet setup` is running, which has {}: wait for it, or end it", file.string());
    if (!locked) return error("nothing is changed: cannot lock {}: {}", file.string(), std::strerror(cause));
  }
}

SetupLock::~SetupLock() {
  unlink(file_.c_str());
  close(fd_);
}

}  // namespace collet::cli
