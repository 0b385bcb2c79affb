#include "worker/walls/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "base/limits.h"
#include "plugin/descriptor.h"
#include "plugin/thread.h"
#include "worker/file_rules.h"

namespace collet::worker {
namespace {

using plugin::Clock;
using plugin::Descriptor;

constexpr std::uint64_t kNameBytes = 4096;  // what a name takes, be its file empty
constexpr std::size_t kOpenMax = 64;        // folders that are open while what is in them is counted
constexpr std::size_t kDepthMax = 20'000;   // of folders within one another

std::uint64_t block_bytes(const struct stat& file) { return static_cast<std::uint64_t>(file.st_blocks) * 512; }

// Adds up what files take.
class Sum {
 public:
  explicit Sum(std::uint64_t enough) : enough_(enough) {}

  Result<void> add_tree(const std::string& path) {
    std::vector<Level> levels(1);  // from `path` down
    if (auto added = add(AT_FDCWD, path, levels.back()); !added) return added;
    if (!levels.back().folder) return {};
    while (!levels.empty() && bytes_ < enough_) {
      if (levels.back().inner.empty()) {
        if (levels.size() > kOpenMax && !find_again(levels)) return error("it has folders that are moved while they are counted");
        levels.pop_back();
        continue;
      }
      Level& level = levels.back();
      const std::string name = std::move(level.inner.back());
      level.inner.pop_back();
      Level inner;
      if (auto entered = enter(level.folder.get(), name, inner); !entered) return entered;
      if (!inner.folder) continue;
      if (levels.size() == kDepthMax) return error("folders deeper than {} cannot be counted", kDepthMax);
      if (levels.size() >= kOpenMax) level.folder = Descriptor();
      levels.push_back(std::move(inner));
    }
    return {};
  }

  // What is open, or mapped, and has no name.
  void add_unnamed(pid_t process, dev_t memory) {
    for (const char* of : {"fd", "map_files"}) {
      std::error_code none;
      for (std::filesystem::directory_iterator at(fmt::format("/proc/{}/{}", process, of), none), end; !none && at != end;
           at.increment(none)) {
        struct stat file;
        const bool counts = stat(at->path().c_str(), &file) == 0 && S_ISREG(file.st_mode) && file.st_nlink == 0 &&
                            file.st_dev != memory && unnamed_.emplace(file.st_dev, file.st_ino).second;
        if (counts) bytes_ += block_bytes(file);
      }
    }
  }

  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Level {
    Descriptor folder{};             // open, or found again from the one below it
    dev_t device = 0;
    ino_t inode = 0;
    std::vector<std::string> inner{};  // folders that are still to be counted
  };

  // The one above the last.
  static bool find_again(std::vector<Level>& levels) {
    Level& above = levels[levels.size() - 2];
    above.folder = Descriptor(openat(levels.back().folder.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat file;
    return fstat(above.folder.get(), &file) == 0 && file.st_dev == above.device && file.st_ino == above.inode;
  }

  // One name; if it is a folder's, `level` is that folder.
  Result<void> add(int folder, const std::string& name, Level& level) {
    struct stat file;
    if (fstatat(folder, name.c_str(), &file, AT_SYMLINK_NOFOLLOW) != 0) return {};  // gone meanwhile
    count(file);
    return S_ISDIR(file.st_mode) ? enter(folder, name, level) : Result<void>();
  }

  void count(const struct stat& file) {
    // One of several names has its share.
    const bool shared = !S_ISDIR(file.st_mode) && file.st_nlink > 1;
    bytes_ += kNameBytes + (shared ? block_bytes(file) / file.st_nlink : block_bytes(file));
  }

  // Counts what is in a folder but for what is in folders there.
  Result<void> enter(int above, const std::string& name, Level& level) {
    Descriptor folder(openat(above, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat file;
    if (!folder) {
      // One of somebody else's is closed to the worker as well; one of the worker's own could hide something.
      const bool own = errno == EACCES && fstatat(above, name.c_str(), &file, AT_SYMLINK_NOFOLLOW) == 0 && file.st_uid == geteuid();
      if (own) return error("its folder {} cannot be counted: it is closed", name);
      return {};  // gone meanwhile, or there are too many open files for now
    }
    const int again = openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> names(again < 0 ? nullptr : fdopendir(again), closedir);
    if (!names || fstat(folder.get(), &file) != 0) return {};
    level.device = file.st_dev;
    level.inode = file.st_ino;
    while (const dirent* entry = bytes_ < enough_ ? readdir(names.get()) : nullptr) {
      const std::string_view each = entry->d_name;
      if (each == "." || each == ".." || fstatat(folder.get(), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) != 0) continue;
      count(file);
      if (S_ISDIR(file.st_mode)) level.inner.emplace_back(each);
    }
    level.folder = std::move(folder);
    return {};
  }

  const std::uint64_t enough_;
  std::uint64_t bytes_ = 0;
  std::set<std::pair<dev_t, ino_t>> unnamed_;
};

// The file system of files that are memory and nothing else.
dev_t memory_device() {
  const Descriptor file(memfd_create("device", MFD_CLOEXEC));
  struct stat status{};
  fstat(file.get(), &status);
  return status.st_dev;
}

// Each place once.
DiskOrder resolved(DiskOrder order) {
  std::vector<std::string> places;
  for (const std::string& granted : order.granted) {
    std::error_code none;
    const std::string place = std::filesystem::canonical(granted, none);
    if (!place.empty()) places.push_back(place);
  }
  std::sort(places.begin(), places.end());  // what lies in another comes after it
  order.granted.clear();
  for (const std::string& place : places) {
    const auto holds = [&](const std::string& other) { return is_beneath(place, other); };
    if (std::none_of(order.granted.begin(), order.granted.end(), holds)) order.granted.push_back(place);
  }
  return order;
}

}  // namespace

DiskWatch::DiskWatch(DiskOrder order)
    : order_(resolved(std::move(order))),
      at_first_(measure(UINT64_MAX)),
      thread_(plugin::start_thread("disk", [this] { watch(); })) {}

DiskWatch::~DiskWatch() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void DiskWatch::watch() {
  using std::chrono::milliseconds;
  std::uint64_t left = order_.bytes_max;
  std::uint64_t free_then = free_bytes();
  auto next = Clock::now();
  auto latest = next;
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, milliseconds(limits::kWorkerDiskGlanceMs), [&] { return ending_; })) {
    // Counting takes long, and there is nothing new where the file system has as much room as before; but others may
    // have removed what the worker has added.
    const std::uint64_t free_now = free_bytes();
    const bool filled = free_now < free_then && free_then - free_now > left / 2;
    const auto begin = Clock::now();
    if (begin < next || (!filled && begin < latest)) continue;
    lock.unlock();
    const Result<std::uint64_t> now = at_first_ ? measure(*at_first_ + order_.bytes_max + 1) : at_first_;
    const std::uint64_t more = now ? *now - std::min(*now, *at_first_) : 0;
    if (!now) {
      order_.exceeded(now.message());
    } else if (more > order_.bytes_max) {
      order_.exceeded(fmt::format("what it may write takes over {} bytes more than at its start", order_.bytes_max));
    }
    left = order_.bytes_max - std::min(more, order_.bytes_max);
    free_then = free_now;
    const auto end = Clock::now();
    next = end + 20 * (end - begin);
    latest = std::max(next, end + milliseconds(limits::kWorkerDiskLookMs));
    lock.lock();
  }
}

std::uint64_t DiskWatch::free_bytes() const {
  std::uint64_t sum = 0;
  for (const std::string& granted : order_.granted) {
    struct statvfs system;
    if (statvfs(granted.c_str(), &system) == 0) sum += system.f_bfree * system.f_frsize + system.f_ffree * kNameBytes;
  }
  return sum;
}

Result<std::uint64_t> DiskWatch::measure(std::uint64_t enough) const {
  static const dev_t memory = memory_device();
  Sum sum(enough);
  for (const std::string& granted : order_.granted) {
    if (auto added = sum.add_tree(granted); !added) return added.failure();
  }
  for (const pid_t process : order_.processes()) sum.add_unnamed(process, memory);
  return sum.bytes();
}

}  // namespace collet::worker
