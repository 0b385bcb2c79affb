#include "loop/path_poll.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "support/catch.h"

using namespace collet::loop;
namespace fs = std::filesystem;

TEST_CASE("what a path leads to is seen to change, be missing, come back, and be another") {
  std::string folder = fs::temp_directory_path() / "collet-poll-XXXXXX";
  REQUIRE(mkdtemp(folder.data()));
  Loop loop;
  std::vector<bool> seen;
  const std::string path = folder + "/link/file";
  std::optional<PathPoll> poll;
  poll.emplace(loop, path, 1, [&](bool exists) {
    seen.push_back(exists);
    loop.stop();
  });
  Timer late(loop);
  late.start(10'000, [&] { loop.stop(); });
  const auto next = [&] {
    loop.run();
    REQUIRE_FALSE(seen.empty());
    const bool exists = seen.front();
    seen.clear();
    return exists;
  };
  CHECK_FALSE(next());
  for (const char* name : {"/a", "/b"}) {
    fs::create_directory(folder + name);
    std::ofstream(folder + name + "/file") << "x";
  }
  fs::create_directory_symlink("a", folder + "/link");
  CHECK(next());
  std::ofstream(folder + "/a/file", std::ios::app) << "y";
  CHECK(next());
  fs::create_directory_symlink("b", folder + "/next");
  fs::rename(folder + "/next", folder + "/link");
  CHECK(next());
  fs::remove(folder + "/link");
  CHECK_FALSE(next());
  poll.reset();
  fs::remove_all(folder);
}

TEST_CASE("what a path leads to at first is told, and may be all that is wanted") {
  Loop loop;
  std::optional<PathPoll> poll;
  bool found = false;
  poll.emplace(loop, "/", 1, [&](bool exists) {
    found = exists;
    poll.reset();
    loop.stop();
  });
  loop.run();
  CHECK(found);
  PathPoll unlooked(loop, "/", 1, [](bool) {});  // destroyed while it looks
}
