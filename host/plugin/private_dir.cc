#include "plugin/private_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "plugin/descriptor.h"

namespace collet::plugin {
namespace {

const char* cause() { return std::strerror(errno); }

bool allows_code(const std::string& folder) {
  struct statvfs info;
  return statvfs(folder.c_str(), &info) == 0 && (info.f_flag & ST_NOEXEC) == 0;
}

// Where private folders live by default.
std::string default_parent() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime && *runtime == '/' && access(runtime, W_OK) == 0 && allows_code(runtime)) {
    return std::string(runtime) + "/collet";
  }
  const char* temporary = std::getenv("TMPDIR");
  return fmt::format("{}/collet-{}", temporary && *temporary == '/' ? temporary : "/tmp", getuid());
}

// A folder that nobody else can have prepared for us.
Result<void> ensure_own_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return error("cannot make the folder {} for copies of plugins: {}", path, cause());
  }
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return error("cannot look at the folder {}: {}", path, cause());
  if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 022) != 0) {
    return error("{} must be a folder of this user that others cannot write: remove it or set TMPDIR", path);
  }
  return {};
}

Descriptor lock_folder(const std::string& path) {
  Descriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (folder && flock(folder.get(), LOCK_EX | LOCK_NB) != 0) return Descriptor();
  return folder;
}

// A folder whose lock can be had belongs to nobody: its process is gone, however it ended.
void remove_stale(const std::string& parent) {
  DIR* listing = opendir(parent.c_str());
  if (!listing) return;
  std::vector<std::string> names;
  while (const dirent* entry = readdir(listing)) {
    if (std::strspn(entry->d_name, "0123456789-") == std::strlen(entry->d_name)) names.emplace_back(entry->d_name);
  }
  closedir(listing);
  for (const std::string& name : names) {
    const std::string path = parent + '/' + name;
    std::error_code ignored;
    if (const Descriptor lock = lock_folder(path)) std::filesystem::remove_all(path, ignored);
  }
}

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

Result<void> copy_bytes(int from, int to, std::uint64_t size, const std::string& path) {
  for (std::uint64_t done = 0; done < size;) {
    const ssize_t moved = sendfile(to, from, nullptr, size - done);
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return error("cannot copy {}: {}", path, cause());
    if (moved == 0) return error("cannot copy {}: it became shorter while it was read", path);
    done += static_cast<std::uint64_t>(moved);
  }
  return {};
}

}  // namespace

PrivateFile::~PrivateFile() {
  if (owned_) unlink(path_.c_str());
}

Result<PrivateDir> PrivateDir::create(const std::string& given) {
  const std::string parent = given.empty() ? default_parent() : given;
  if (auto made = ensure_own_folder(parent); !made) return made.failure();
  remove_stale(parent);
  for (int attempt = 0; attempt < 16; ++attempt) {
    // Under its first name nobody takes it for a stale one, and when it has the other it is locked.
    const std::string name = fmt::format("{}-{}", getpid(), next_number());
    const std::string path = parent + '/' + name;
    const std::string unlocked = parent + "/new-" + name;
    if (auto made = ensure_own_folder(unlocked); !made) return made.failure();
    Descriptor lock = lock_folder(unlocked);
    if (!lock) continue;
    if (renameat2(AT_FDCWD, unlocked.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
      return PrivateDir(path, std::move(lock));
    }
    rmdir(unlocked.c_str());
  }
  return error("cannot lock a folder in {} for copies of plugins: set TMPDIR to a local folder", parent);
}

PrivateDir::~PrivateDir() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string PrivateDir::unused_path(const std::string& like) const {
  std::string name = std::filesystem::path(like).filename().string();
  if (like.starts_with(path_ + '/'))
    name.erase(0, name.find('-') + 1);  // a copy of a copy is named like the original
  return fmt::format("{}/{}-{}", path_, next_number(), name.substr(0, 128));
}

Result<PrivateFile> PrivateDir::link(const std::string& path) {
  PrivateFile file(unused_path(path));
  if (::link(path.c_str(), file.path().c_str()) != 0) {
    return error("cannot give {} the name {}: {}", path, file.path(), cause());
  }
  return file;
}

Result<PrivateFile> PrivateDir::copy(const std::string& path, std::uint64_t size_max) {
  // Not blocking: opening a FIFO would wait for its writer.
  const Descriptor from(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!from) return error("cannot open {}: {}", path, cause());
  struct stat info;
  if (fstat(from.get(), &info) != 0) return error("cannot look at {}: {}", path, cause());
  if (!S_ISREG(info.st_mode)) return error("{} is not a regular file", path);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size == 0) return error("{} is empty", path);
  if (size > size_max) return error("{} has {} bytes, more than the limit of {}", path, size, size_max);

  PrivateFile file(unused_path(path));
  const Descriptor to(open(file.path().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to) return error("cannot make {}: {}", file.path(), cause());
  if (auto copied = copy_bytes(from.get(), to.get(), size, path); !copied) return copied.failure();
  return file;
}

}  // namespace collet::plugin
