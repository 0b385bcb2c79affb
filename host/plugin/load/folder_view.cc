#include "plugin/load/folder_view.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <string_view>

#include "base/descriptor.h"
#include "fetch/request.h"
#include "plugin/load/library.h"

namespace collet::plugin {
namespace {

namespace fs = std::filesystem;

// Others may be let in: a worker that has another user.
constexpr mode_t kFolderMode = 0755;
constexpr mode_t kFileMode = 0555;

Result<void> copy_bytes(int from, int to, std::uint64_t size, const std::string& path) {
  for (std::uint64_t done = 0; done < size;) {
    const ssize_t moved = sendfile(to, from, nullptr, size - done);
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return error("cannot copy {}: {}", path, std::strerror(errno));
    if (moved == 0) return error("cannot copy {}: it became shorter while it was read", path);
    done += static_cast<std::uint64_t>(moved);
  }
  return {};
}

bool is_real_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(fs::symlink_status(path, ignored));
}

bool is_real_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(fs::symlink_status(path, ignored));
}

// Of the libraries that this process has by itself: the loader would take no others of these names.
std::set<std::string> names_of_host(const std::string& private_folder) {
  std::set<std::string> names;
  for (const std::string& path : mapped_libraries()) {
    if (!path.starts_with(private_folder + '/')) names.insert(fs::path(path).filename());
  }
  return names;
}

// Where the parts of its RPATH and RUNPATH lead that begin with $ORIGIN.
std::vector<fs::path> origin_folders(const fs::path& folder, const ElfReport& elf) {
  std::vector<fs::path> folders;
  for (std::string_view paths : {std::string_view(elf.rpath), std::string_view(elf.runpath)}) {
    while (!paths.empty()) {
      std::string_view path = paths.substr(0, paths.find(':'));
      paths.remove_prefix(std::min(paths.size(), path.size() + 1));
      for (const std::string_view origin : {"$ORIGIN", "${ORIGIN}"}) {
        if (!path.starts_with(origin)) continue;
        path.remove_prefix(origin.size());
        if (!path.empty() && path[0] != '/') break;
        fs::path leads_to = fs::path(folder.string() + std::string(path)).lexically_normal();
        if (!leads_to.has_filename()) leads_to = leads_to.parent_path();
        folders.push_back(std::move(leads_to));
        break;
      }
    }
  }
  return folders;
}

}  // namespace

Result<void> copy_file(const std::string& from_path, const std::string& to_path, std::uint64_t size_max) {
  // Not blocking: opening a FIFO would wait for its writer.
  const Descriptor from(open(from_path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!from) return error("cannot open {}: {}", from_path, std::strerror(errno));
  struct stat info;
  if (fstat(from.get(), &info) != 0) return error("cannot look at {}: {}", from_path, std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return error("{} is not a regular file", from_path);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size == 0) return error("{} is empty", from_path);
  if (size > size_max) return error("{} has {} bytes, more than the limit of {}", from_path, size, size_max);
  const Descriptor to(open(to_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
  if (!to) return error("cannot make {}: {}", to_path, std::strerror(errno));
  fchmod(to.get(), kFileMode);
  return copy_bytes(from.get(), to.get(), size, from_path);
}

// A folder at each place on the way. One that was a link shows all the same what the link did.
void FolderView::make(const fs::path& folder) {
  fs::path original = "/";
  for (const fs::path& part : folder.relative_path()) {
    original /= part;
    const std::string place = place_of(original);
    if (is_real_folder(place)) continue;
    const bool was_shown = unlink(place.c_str()) == 0;
    mkdir(place.c_str(), kFolderMode);
    chmod(place.c_str(), kFolderMode);  // whatever the umask
    if (was_shown) show(original);
  }
}

void FolderView::show(const fs::path& folder, const std::set<std::string>& hidden) {
  make(folder);
  unsigned count = 0;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    if (++count > kEntriesMax) return;
    const std::string original = at->path().string();
    // What is there already is a copy, or on the way to one.
    if (!hidden.contains(original)) static_cast<void>(!symlink(original.c_str(), place_of(original).c_str()));
  }
}

bool FolderView::is_wanted(const ElfReport& elf) { return elf.asks_for_path || !origin_folders("/", elf).empty(); }

bool FolderView::move(const std::string& copy, const fs::path& original) {
  if (mkdir(root_.c_str(), kFolderMode) != 0 || chmod(root_.c_str(), kFolderMode) != 0) return false;
  make(original.parent_path());
  return rename(copy.c_str(), place_of(original).c_str()) == 0;
}

bool FolderView::copy(const fs::path& original) {
  make(original.parent_path());
  const std::string place = place_of(original);
  unlink(place.c_str());  // the link to it
  return copy_file(original, place, file_bytes_max_).ok();
}

// As a further name of the copy that there is, if the original has not changed since.
bool FolderView::copy_known(const fs::path& original, KnownCopies& known) {
  const FileStamp now = FileStamp::of(original);
  KnownCopy& copied = known[original];
  const std::string place = place_of(original);
  make(original.parent_path());
  if (copied.original == now) {
    unlink(place.c_str());
    if (::link(copied.path.c_str(), place.c_str()) == 0) {
      copied.path = place;  // the view of the other will go first
      return true;
    }
  }
  if (!copy(original)) {
    unlink(place.c_str());
    static_cast<void>(!symlink(original.c_str(), place.c_str()));
    return false;
  }
  copied = {now, place};
  return true;
}

std::vector<std::string> FolderView::furnish(const fs::path& original, const ElfReport& elf, KnownCopies& known,
                                             const std::set<std::string>& hidden) {
  struct Needing {
    std::vector<fs::path> folders;
    std::vector<std::string> names;
  };
  const fs::path folder = original.parent_path();
  if (elf.asks_for_path) {
    show(folder, hidden);
    show(folder.parent_path(), hidden);
  }
  const std::string private_folder = fs::path(root_).parent_path();
  std::set<std::string> of_host = names_of_host(private_folder);
  bool has_all = false;
  std::vector<std::string> copies;
  std::deque<Needing> all{{origin_folders(folder, elf), elf.needed}};
  for (; !all.empty(); all.pop_front()) {
    const Needing& needing = all.front();
    for (const fs::path& each : needing.folders) show(each);
    for (const std::string& name : needing.names) {
      if (name.find('/') != std::string::npos || of_host.contains(name)) continue;
      const auto found = std::find_if(needing.folders.begin(), needing.folders.end(), [&](const fs::path& each) {
        std::error_code ignored;
        return fs::is_regular_file(each / name, ignored);
      });
      if (found == needing.folders.end() || copies.size() >= kLibrariesMax) continue;
      // What this process loads when something is fetched is its own, too: it would take the plugin's copy for it.
      if (!std::exchange(has_all, true)) {
        fetch::prepare();
        of_host = names_of_host(private_folder);
        if (of_host.contains(name)) continue;
      }
      const std::string place = place_of(*found / name);
      if (std::find(copies.begin(), copies.end(), place) != copies.end()) continue;
      if (!is_real_file(place) && !copy_known(*found / name, known)) continue;
      copies.push_back(place);
      const auto elf_of_it = read_elf_file(place);
      if (!elf_of_it) continue;
      Needing& next = all.emplace_back(Needing{origin_folders(*found, *elf_of_it), elf_of_it->needed});
      next.folders.insert(next.folders.end(), needing.folders.begin(), needing.folders.end());  // RPATH is inherited
    }
  }
  return copies;
}

}  // namespace collet::plugin
