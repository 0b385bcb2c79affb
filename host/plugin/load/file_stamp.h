// What tells one state of a file from another without reading it.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace collet::plugin {

struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;  // 0: there is no such file
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;

  static FileStamp of(const std::string& path) {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return {};
    return {info.st_dev, info.st_ino, static_cast<std::uint64_t>(info.st_size),
            info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec};
  }
  bool exists() const { return inode != 0; }
  bool operator==(const FileStamp&) const = default;
};

// Whether two files hold the same bytes. False if one cannot be read.
bool same_bytes(const std::string& a, const std::string& b);

}  // namespace collet::plugin
