#include "plugin/load/file_trust.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace collet::plugin {
namespace {

namespace fs = std::filesystem;

std::string name_of(uid_t user) {
  passwd found{};
  passwd* result = nullptr;
  char room[4096];
  if (getpwuid_r(user, &found, room, sizeof room, &result) == 0 && result) return result->pw_name;
  return fmt::format("{}", user);
}

// With whom it can be changed, or nothing. Of a folder with the sticky bit others cannot change what is in it.
std::string other_writer(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return {};
  if (info.st_uid != 0 && info.st_uid != geteuid()) return fmt::format("the user {}, whose it is", name_of(info.st_uid));
  if (S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX)) return {};
  if (info.st_mode & S_IWOTH) return "everybody";
  const bool our_group = info.st_gid == 0 || info.st_gid == getegid();
  if ((info.st_mode & S_IWGRP) && !our_group) return fmt::format("the group {}", info.st_gid);
  return {};
}

}  // namespace

Result<void> check_writers(const std::string& library) {
  std::error_code failed;
  const fs::path real = fs::canonical(library, failed);
  for (const fs::path& path : {fs::path(library), fs::path(library).parent_path(), real, real.parent_path()}) {
    if (path.empty()) continue;
    if (const std::string writer = other_writer(path.string()); !writer.empty()) {
      return error("{} can be written by {} ([plugins] allow_writable_by_others = true would allow that)", path.string(),
                   writer);
    }
  }
  return {};
}

}  // namespace collet::plugin
