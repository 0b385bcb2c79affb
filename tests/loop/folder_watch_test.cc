#include "loop/folder_watch.h"

#include <filesystem>
#include <fstream>
#include <set>

#include "support/catch.h"

using namespace collet::loop;
namespace fs = std::filesystem;

TEST_CASE("files that are made, written, renamed and removed in a folder are named") {
  std::string folder = fs::temp_directory_path() / "collet-watch-XXXXXX";
  REQUIRE(mkdtemp(folder.data()));
  Loop loop;
  std::multiset<std::string> named;
  const auto wait_for = [&](const std::string& name) {
    Timer late(loop);
    bool in_time = true;
    late.start(10'000, [&] { in_time = false; });
    Timer look(loop);
    look.repeat(1, [&] {
      if (named.count(name) > 0 || !in_time) loop.stop();
    });
    loop.run();
    CHECK(named.count(name) > 0);
    named.clear();
  };
  {
    auto watch = FolderWatch::open(loop, folder, [&](std::string_view name) { named.emplace(name); });
    REQUIRE(watch.ok());
    std::ofstream(folder + "/made") << "x";
    wait_for("made");
    std::ofstream(folder + "/made", std::ios::app) << "y";
    wait_for("made");
    fs::rename(folder + "/made", folder + "/renamed");
    wait_for("renamed");
    fs::remove(folder + "/renamed");
    wait_for("renamed");
  }
  const auto none = FolderWatch::open(loop, folder + "/none", [](std::string_view) {});
  REQUIRE_FALSE(none.ok());
  CHECK(none.message() == "cannot watch the folder " + folder + "/none: no such file or directory");
  fs::remove_all(folder);
}
