#include "plugin/load/private_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/descriptor.h"

namespace collet::plugin {
namespace {

namespace fs = std::filesystem;

bool allows_code(const std::string& folder) {
  struct statvfs info;
  return statvfs(folder.c_str(), &info) == 0 && (info.f_flag & ST_NOEXEC) == 0;
}

// Where private folders may live by default: a folder and the name of ours in it.
std::vector<std::pair<std::string, std::string>> places() {
  std::vector<std::pair<std::string, std::string>> all;
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime && *runtime == '/' && access(runtime, W_OK) == 0) all.emplace_back(runtime, "collet");
  const std::string ours = fmt::format("collet-{}", getuid());
  const char* temporary = std::getenv("TMPDIR");
  if (temporary && *temporary == '/') all.emplace_back(temporary, ours);
  for (const char* usual : {"/tmp", "/var/tmp"}) all.emplace_back(usual, ours);
  return all;
}

// A folder that nobody else can have prepared for us.
Result<void> ensure_own_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return error("cannot make the folder {} for copies of plugins: {}", path, std::strerror(errno));
  }
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return error("cannot look at the folder {}: {}", path, std::strerror(errno));
  if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 022) != 0) {
    return error("{} must be a folder of this user that others cannot write: remove it or set TMPDIR", path);
  }
  return {};
}

// In `place`, where somebody else has taken the name first: one that was made for that before, or a new one.
std::optional<std::string> other_folder(const std::string& place, const std::string& name) {
  const std::string begin = name + '-';
  std::error_code failed;
  for (fs::directory_iterator at(place, failed), end; !failed && at != end; at.increment(failed)) {
    const std::string path = at->path().string();
    if (at->path().filename().string().starts_with(begin) && ensure_own_folder(path)) return path;
  }
  std::string path = fmt::format("{}/{}XXXXXX", place, begin);
  if (!mkdtemp(path.data())) return std::nullopt;
  return path;
}

// The first place that allows code to be mapped and has a folder of ours, or takes one.
Result<std::string> default_parent() {
  std::string problems;
  for (const auto& [place, name] : places()) {
    const std::string path = place + '/' + name;
    if (!problems.empty()) problems += "; ";
    if (!allows_code(place)) {
      problems += place + " is not there, or mounted noexec";
      continue;
    }
    const auto made = ensure_own_folder(path);
    if (made) return path;
    problems += made.message();
    if (auto other = other_folder(place, name)) return *std::move(other);
  }
  return error("there is no place for copies of plugins, set TMPDIR to one: {}", problems);
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

}  // namespace

PrivateFile::~PrivateFile() {
  std::error_code ignored;
  if (owned_) std::filesystem::remove_all(view_, ignored);
}

Result<PrivateDir> PrivateDir::create(const std::string& given) {
  const Result<std::string> chosen = given.empty() ? default_parent() : given;
  if (!chosen) return chosen.failure();
  const std::string& parent = *chosen;
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
  std::string name = fs::path(like).filename().string();
  if (like == view_of(like)) name.erase(0, name.find('-') + 1);  // a copy of a copy is named like the original
  return fmt::format("{}/{}-{}", path_, next_number(), name.substr(0, 128));
}

// The entry of this folder that the file is or lies in; empty if it lies elsewhere.
std::string PrivateDir::view_of(const std::string& path) const {
  if (!path.starts_with(path_ + '/')) return {};
  return path.substr(0, path.find('/', path_.size() + 1));
}

Result<PrivateFile> PrivateDir::link(const std::string& path) {
  const std::string view = view_of(path);
  const std::string to = unused_path(path);
  PrivateFile file(to + path.substr(view.size()), to);
  std::error_code failed;
  fs::copy(view, to,
           fs::copy_options::recursive | fs::copy_options::copy_symlinks | fs::copy_options::create_hard_links, failed);
  if (failed) return error("cannot give {} the name {}: {}", path, file.path(), failed.message());
  return file;
}

Result<PrivateFile> PrivateDir::copy(const std::string& path, std::uint64_t size_max) {
  const std::string view = view_of(path);
  if (!view.empty() && view != path) {
    auto file = link(path);
    if (!file) return file;
    unlink(file->path().c_str());
    if (auto copied = copy_file(path, file->path(), size_max); !copied) return copied.failure();
    return file;
  }
  PrivateFile file(unused_path(path));
  if (auto copied = copy_file(path, file.path(), size_max); !copied) return copied.failure();
  return file;
}

// The original's folder may have several names, and ".." in a path leads where the file system says.
std::vector<std::string> PrivateDir::furnish(PrivateFile& file, const std::string& original, const ElfReport& elf,
                                             std::uint64_t size_max, const std::set<std::string>& hidden) {
  if (!FolderView::is_wanted(elf)) return {};
  std::error_code failed;
  const fs::path given = fs::absolute(original);
  const fs::path library = fs::canonical(given.parent_path(), failed) / given.filename();
  if (failed) return {};
  if (file.has_view()) return FolderView(file.view(), size_max).furnish(library, elf, known_, hidden);
  const std::string root = unused_path("view");
  FolderView view(root, size_max);
  PrivateFile moved(view.place_of(library), root);
  if (!view.move(file.path(), library)) return {};
  file = std::move(moved);
  return view.furnish(library, elf, known_, hidden);
}

}  // namespace collet::plugin
