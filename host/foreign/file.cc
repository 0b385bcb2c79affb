#include "foreign/file.h"

namespace collet::foreign {

Source::Read read_from(int fd) {
  return [fd](char* to, std::size_t room) -> Result<std::size_t> {
    while (true) {
      const ssize_t count = read(fd, to, room);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) return error("cannot be read: {}", std::strerror(errno));
    }
  };
}

void sync_folder_of(const std::filesystem::path& file) {
  const int fd = open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

std::filesystem::path real_path(const std::filesystem::path& file) {
  namespace fs = std::filesystem;
  constexpr int kLinksMax = 40;
  std::error_code failure;
  fs::path path = fs::absolute(file, failure);
  for (int i = 0; i < kLinksMax && fs::is_symlink(path, failure); ++i) {
    const fs::path target = fs::read_symlink(path, failure);
    if (failure) break;
    path = path.parent_path() / target;
  }
  const fs::path real = fs::weakly_canonical(path, failure);
  return failure ? path : real;
}

Result<Findings> read_file(const Origin& origin) {
  return with_source(origin.file, [&](Source& source) { return read_remotes(source, origin); });
}

}  // namespace collet::foreign
