#include "plugin/load/private_dir.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;
namespace fs = std::filesystem;

namespace {

struct Parent {
  Parent() {
    std::string pattern = fs::temp_directory_path() / "collet-test-XXXXXX";
    path = mkdtemp(pattern.data());
  }
  ~Parent() { fs::remove_all(path); }
  std::string path;
};

}  // namespace

TEST_CASE("copies lie in a folder that only this user can enter, and go with it") {
  Parent parent;
  std::ofstream(parent.path + "/a.so") << "content";
  std::string copy_path;
  {
    auto folder = PrivateDir::create(parent.path);
    REQUIRE(folder);
    struct stat info;
    REQUIRE(stat(folder->path().c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0700);
    auto first = folder->copy(parent.path + "/a.so", 7);
    auto second = folder->copy(parent.path + "/a.so", 7);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->path() != second->path());
    copy_path = first->path();
    CHECK(fs::file_size(copy_path) == 7);
    CHECK_FALSE(folder->copy(parent.path + "/a.so", 6));
  }
  CHECK_FALSE(fs::exists(copy_path));
  CHECK_FALSE(fs::exists(fs::path(copy_path).parent_path()));
}

TEST_CASE("folders of processes that are gone are removed, those of living ones stay") {
  Parent parent;
  auto living = PrivateDir::create(parent.path);
  REQUIRE(living);
  const std::string gone = parent.path + "/123-1";
  fs::create_directory(gone);
  std::ofstream(gone + "/left.so") << "x";
  auto next = PrivateDir::create(parent.path);
  REQUIRE(next);
  CHECK_FALSE(fs::exists(gone));
  CHECK(fs::exists(living->path()));
}

TEST_CASE("processes that start at the same time do not take each other's new folders for stale ones") {
  Parent parent;
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      for (int k = 0; k < 200; ++k) {
        const auto folder = PrivateDir::create(parent.path);
        if (!folder || !fs::is_directory(folder->path())) _exit(1);
      }
      _exit(0);
    }
    REQUIRE(child > 0);
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(fs::is_empty(parent.path));
}

TEST_CASE("a folder that others can write, or that is a link, is refused") {
  Parent parent;
  const std::string open_to_all = parent.path + "/open";
  fs::create_directory(open_to_all);
  REQUIRE(chmod(open_to_all.c_str(), 0777) == 0);
  CHECK_FALSE(PrivateDir::create(open_to_all));
  const std::string link = parent.path + "/link";
  fs::create_symlink(parent.path, link);
  CHECK_FALSE(PrivateDir::create(link));
}
