#include "worker/walls/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "base/descriptor.h"
#include "plugin/recorder.h"
#include "support/catch.h"

using namespace collet;
using plugin::becomes_true;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kEmptyFile = 4096;

// A folder that is watched. What the watch does can be counted.
struct Watched {
  explicit Watched(std::uint64_t bytes_max, const std::function<void(const fs::path&)>& prepare = {}) {
    fs::create_directory(folder);
    if (prepare) prepare(folder);
    watch = std::make_unique<worker::DiskWatch>(
        worker::DiskOrder{.granted = {folder.string()},
                          .bytes_max = bytes_max,
                          .processes =
                              [this] {
                                ++counts;
                                return std::vector<pid_t>();
                              },
                          .exceeded =
                              [this](const std::string& why) {
                                const std::lock_guard lock(mutex);
                                reason = why;
                              }});
  }
  ~Watched() {
    watch.reset();
    fs::remove_all(folder);
  }

  // Until it has been counted anew from beginning to end.
  void wait_for_count() {
    const unsigned before = counts;
    REQUIRE(becomes_true([&] { return counts >= before + 2; }));
  }
  std::string said() {
    const std::lock_guard lock(mutex);
    return reason;
  }

  const fs::path folder = fs::temp_directory_path() / fmt::format("collet-watched-{}", getpid());
  std::atomic<unsigned> counts{0};
  std::mutex mutex;
  std::string reason;
  std::unique_ptr<worker::DiskWatch> watch;
};

// Folders within one another, deeper than a path can name; and away with them.
class Deep {
 public:
  Deep(const fs::path& folder, std::size_t levels) : last_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), levels_(levels) {
    for (std::size_t level = 0; level < levels; ++level) {
      REQUIRE(mkdirat(last_.get(), "d", 0700) == 0);
      last_ = Descriptor(openat(last_.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
  }
  ~Deep() {
    for (std::size_t level = 0; level < levels_; ++level) {
      last_ = Descriptor(openat(last_.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      CHECK(unlinkat(last_.get(), "d", AT_REMOVEDIR) == 0);
    }
  }

 private:
  Descriptor last_;
  std::size_t levels_;
};

}  // namespace

TEST_CASE("what may be added to the disk is bounded, at the limit and one name past it") {
  Watched watched(4 * kEmptyFile, [](const fs::path& folder) { std::ofstream(folder / "before"); });
  for (const char* name : {"a", "b", "c", "d"}) std::ofstream(watched.folder / name);
  watched.wait_for_count();
  CHECK(watched.said() == "");
  std::ofstream(watched.folder / "e");
  CHECK(becomes_true([&] { return watched.said() == "what it may write takes over 16384 bytes more than at its start"; }));
}

TEST_CASE("folders within one another are counted, at the limit and one past it") {
  constexpr std::size_t kDepthMax = 2'000;
  for (const std::size_t past : {0u, 1u}) {
    std::unique_ptr<Deep> deep;  // the folder that is granted is the first level
    Watched watched(1 << 30, [&](const fs::path& folder) { deep = std::make_unique<Deep>(folder, kDepthMax - 1 + past); });
    if (past == 0) {
      CHECK(watched.counts > 0);  // it has been counted to its end
    } else {
      CHECK(becomes_true([&] { return watched.said() == "folders deeper than 2000 cannot be counted"; }));
      CHECK(watched.counts == 0);
    }
    deep.reset();
  }
}
