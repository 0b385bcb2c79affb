#include "files/walk.h"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "files/utf8.h"

namespace files {
namespace {

Kind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return Kind::file;
  if (S_ISDIR(mode)) return Kind::directory;
  return S_ISLNK(mode) ? Kind::link : Kind::other;
}

Kind kind_of(int directory, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return kind_of(DTTOIF(entry.d_type));
  struct stat status;
  if (::fstatat(directory, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) return Kind::other;
  return kind_of(status.st_mode);
}

Directory read_entries(Descriptor opened, const Location& location) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(opened.get()), &::closedir);
  if (!stream) throw failed("list", location, errno);
  static_cast<void>(opened.release());
  Directory directory;
  while (const dirent* entry = (errno = 0, ::readdir(stream.get()))) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (!is_utf8(name)) {
      ++directory.unnameable;
      continue;
    }
    directory.entries.push_back({std::string(name), kind_of(::dirfd(stream.get()), *entry)});
  }
  if (errno != 0) throw failed("list", location, errno);
  std::sort(directory.entries.begin(), directory.entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return directory;
}

}  // namespace

Directory read_directory(const Location& location) {
  return read_entries(location.open_directory(O_RDONLY), location);
}

std::optional<Details> details_of(const Location& location) {
  const Descriptor opened = location.try_open(O_PATH | O_NOFOLLOW, Links::inside);
  struct stat status;
  if (!opened || ::fstat(opened.get(), &status) != 0) return std::nullopt;
  return Details{static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec};
}

WalkReport walk(const Location& start, std::uint64_t entries_max, const Cancelled& cancelled,
                const std::function<bool(const Location&, Kind)>& visit) {
  const Descriptor top = start.try_open(O_PATH, Links::inside);
  struct stat status;
  if (!top || ::fstat(top.get(), &status) != 0) throw failed("search", start, errno);

  WalkReport report;
  std::vector<std::pair<Location, Kind>> pending{{start, kind_of(status.st_mode)}};  // the next one last
  const auto descend = [&](const Location& location) {
    const std::size_t skipped = start.relative.empty() ? 0 : start.relative.size() + 1;
    const std::string below = location.relative.substr(std::min(skipped, location.relative.size()));
    // It may have gone, or have become a link, since its parent was read.
    Descriptor opened = open_beneath(top.get(), below, O_RDONLY | O_DIRECTORY, Links::refused);
    if (!opened) {
      ++report.unreadable;
      return;
    }
    Directory directory = read_entries(std::move(opened), location);
    report.unnameable += directory.unnameable;
    for (auto entry = directory.entries.rbegin(); entry != directory.entries.rend(); ++entry) {
      pending.emplace_back(location.child(entry->name), entry->kind);
    }
  };

  if (S_ISDIR(status.st_mode)) {
    pending.clear();
    descend(start);
  }
  while (!pending.empty()) {
    const auto [location, kind] = std::move(pending.back());
    pending.pop_back();
    if (report.entries == entries_max || cancelled() || (++report.entries, !visit(location, kind))) {
      report.complete = false;
      break;
    }
    if (kind == Kind::directory) descend(location);
  }
  return report;
}

}  // namespace files
