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
#include <new>
#include <set>
#include <utility>

#include "base/descriptor.h"
#include "base/limits.h"
#include "plugin/run/thread.h"
#include "worker/walls/file_rules.h"

namespace collet::worker {
namespace {

using plugin::Clock;

constexpr std::uint64_t kNameBytes = 4096;  // what a name takes, be its file empty
constexpr std::size_t kOpenMax = 64;        // folders that are open while what is in them is counted
constexpr std::size_t kDepthMax = 2'000;    // of folders within one another: a path can hardly name more
constexpr unsigned kFailuresMax = 3;        // counts in a row that something keeps from being made

std::uint64_t block_bytes(const struct stat& file) { return static_cast<std::uint64_t>(file.st_blocks) * 512; }

// Adds up what files take, until it is enough or nobody wants to know any more.
class Sum {
 public:
  Sum(std::uint64_t enough, const std::atomic<bool>& ending) : enough_(enough), ending_(ending) {}

  Result<void> add_tree(const std::string& path) {
    struct stat file;
    if (lstat(path.c_str(), &file) != 0) return {};
    count(file);
    std::vector<Level> levels;  // from `path` down
    if (auto entered = enter(AT_FDCWD, path.c_str(), file, levels); !entered) return entered;
    while (!levels.empty() && wants_more()) {
      const dirent* entry = readdir(levels.back().names.get());
      if (!entry) {
        if (!leave(levels)) return error("it has folders that are moved while they are counted");
        continue;
      }
      const std::string_view name = entry->d_name;
      const int folder = dirfd(levels.back().names.get());
      if (name == "." || name == ".." || fstatat(folder, entry->d_name, &file, AT_SYMLINK_NOFOLLOW) != 0) continue;
      count(file);
      if (auto entered = enter(folder, entry->d_name, file, levels); !entered) return entered;
    }
    return {};
  }

  // What is open, or mapped, and has no name: of each thread, as each may have descriptors of its own.
  void add_unnamed(pid_t process, dev_t memory) {
    add_linked(fmt::format("/proc/{}/map_files", process), memory);
    std::error_code none;
    for (std::filesystem::directory_iterator at(fmt::format("/proc/{}/task", process), none), end; !none && at != end;
         at.increment(none)) {
      add_linked(at->path().string() + "/fd", memory);
    }
  }

  bool wants_more() const { return bytes_ < enough_ && !ending_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Level {
    std::unique_ptr<DIR, int (*)(DIR*)> names;  // null: closed while one below is counted, and found again from there
    long position = 0;                          // where it was closed
    dev_t device = 0;
    ino_t inode = 0;
  };

  void count(const struct stat& file) {
    // One of several names has its share.
    const bool shared = !S_ISDIR(file.st_mode) && file.st_nlink > 1;
    bytes_ += kNameBytes + (shared ? block_bytes(file) / file.st_nlink : block_bytes(file));
  }

  // If it is a folder, what is in that is counted next.
  Result<void> enter(int above, const char* name, const struct stat& file, std::vector<Level>& levels) {
    if (!S_ISDIR(file.st_mode)) return {};
    if (levels.size() == kDepthMax) return error("folders deeper than {} cannot be counted", kDepthMax);
    const int folder = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) {
      // One of somebody else's is closed to the worker as well; one of the worker's own could hide something.
      if (errno == EACCES && file.st_uid == geteuid()) return error("its folder {} cannot be counted: it is closed", name);
      return {};  // gone meanwhile, or there are too many open files for now
    }
    Level level{{fdopendir(folder), closedir}, 0, file.st_dev, file.st_ino};
    if (!level.names) {
      close(folder);
      return {};
    }
    if (levels.size() >= kOpenMax) {
      levels.back().position = telldir(levels.back().names.get());
      levels.back().names.reset();
    }
    levels.push_back(std::move(level));
    return {};
  }

  // Goes on in the folder above; false if that cannot be found again.
  static bool leave(std::vector<Level>& levels) {
    Descriptor up;
    Level* const above = levels.size() > 1 ? &levels[levels.size() - 2] : nullptr;
    const bool closed = above && !above->names;
    if (closed) up = Descriptor(openat(dirfd(levels.back().names.get()), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    levels.pop_back();
    if (!closed) return true;
    struct stat file;
    if (fstat(up.get(), &file) != 0 || file.st_dev != above->device || file.st_ino != above->inode) return false;
    above->names.reset(fdopendir(fcntl(up.get(), F_DUPFD_CLOEXEC, 0)));
    if (!above->names) return false;
    seekdir(above->names.get(), above->position);
    return true;
  }

  void add_linked(const std::string& links, dev_t memory) {
    std::error_code none;
    for (std::filesystem::directory_iterator at(links, none), end; !none && at != end && wants_more(); at.increment(none)) {
      struct stat file;
      const bool counts = stat(at->path().c_str(), &file) == 0 && S_ISREG(file.st_mode) && file.st_nlink == 0 &&
                          file.st_dev != memory && unnamed_.emplace(file.st_dev, file.st_ino).second;
      if (counts) bytes_ += block_bytes(file);
    }
  }

  const std::uint64_t enough_;
  const std::atomic<bool>& ending_;
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

// Those that are there, each place once.
std::vector<std::string> resolved(const std::vector<std::string>& granted) {
  std::vector<std::string> places;
  for (const std::string& path : granted) {
    std::error_code none;
    const std::string place = std::filesystem::canonical(path, none);
    if (!place.empty()) places.push_back(place);
  }
  std::sort(places.begin(), places.end());  // what lies in another comes after it
  std::vector<std::string> outermost;
  for (const std::string& place : places) {
    const auto holds = [&](const std::string& other) { return is_beneath(place, other); };
    if (std::none_of(outermost.begin(), outermost.end(), holds)) outermost.push_back(place);
  }
  return outermost;
}

}  // namespace

DiskWatch::DiskWatch(DiskOrder order)
    : order_(std::move(order)),
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
  unsigned failures = 0;
  auto next = Clock::now();
  auto latest = next;
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, milliseconds(limits::kWorkerDiskGlanceMs), [&] { return ending_.load(); })) {
    // Counting takes long, and there is nothing new where the file system has as much room as before; but others may
    // have removed what the worker has added.
    const std::uint64_t free_now = free_bytes();
    const std::uint64_t filled = free_then - std::min(free_then, free_now);
    const auto begin = Clock::now();
    const bool is_time = begin >= latest || (begin >= next && filled > left / 2) || filled > left;
    if (!is_time) continue;
    lock.unlock();
    const Result<std::uint64_t> more = count_more();
    failures = more ? 0 : failures + 1;
    if (failures >= kFailuresMax) order_.exceeded(more.message());
    if (more && *more > order_.bytes_max) {
      order_.exceeded(fmt::format("what it may write takes over {} bytes more than at its start", order_.bytes_max));
    }
    if (more) left = order_.bytes_max - std::min(*more, order_.bytes_max);
    free_then = free_now;
    const auto end = Clock::now();
    next = end + 20 * (end - begin);
    latest = failures > 0 ? end : std::max(next, end + milliseconds(limits::kWorkerDiskLookMs));
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

// Than at first. What could not be counted then is counted now, and is the beginning.
Result<std::uint64_t> DiskWatch::count_more() {
  if (!at_first_) at_first_ = measure(UINT64_MAX);
  if (!at_first_) return at_first_;
  const Result<std::uint64_t> now = measure(*at_first_ + order_.bytes_max + 1);
  if (!now) return now;
  return *now - std::min(*now, *at_first_);
}

Result<std::uint64_t> DiskWatch::measure(std::uint64_t enough) const {
  static const dev_t memory = memory_device();
  try {
    Sum sum(enough, ending_);
    for (const std::string& place : resolved(order_.granted)) {
      if (auto added = sum.add_tree(place); !added) return added.failure();
    }
    for (const pid_t process : order_.processes()) sum.add_unnamed(process, memory);
    return sum.bytes();
  } catch (const std::bad_alloc&) {
    return error("there is no memory for counting what it may write");
  }
}

}  // namespace collet::worker
