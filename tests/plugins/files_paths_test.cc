// Hostile paths: whatever is asked for, and whatever is linked or swapped on disk, only what lies beneath a root is
// seen.
#include <atomic>
#include <thread>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "files/read.h"
#include "files/roots.h"
#include "files/walk.h"
#include "files/write.h"
#include "plugins/temporary_directory.h"
#include "support/catch.h"

using namespace files;
namespace fs = std::filesystem;

namespace {

std::string read(const Roots& roots, std::string_view path) {
  return read_bytes(roots.locate(path), 0, 1 << 20).bytes;
}

// The message of the Failure that `action` throws.
template <class Action>
std::string refusal(Action&& action) {
  try {
    action();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "no failure";
}

struct Disk {
  TemporaryDirectory directory;
  Roots roots{{{"docs", directory.path("docs"), true}, {"src", directory.path("src"), false}}};

  Disk() {
    directory.put("docs/a.txt", "alpha");
    directory.put("docs/sub/b.txt", "beta");
    directory.put("src/main.c", "int main;");
    directory.put("secret/key", "hunter2");
    directory.put("key", "hunter2");
  }
  void link(const std::string& target, std::string_view relative) const {
    fs::create_symlink(target, directory.path(relative));
  }
};

}  // namespace

TEST_CASE("a path is a root's name and what lies beneath it") {
  Disk disk;
  CHECK(read(disk.roots, "docs/a.txt") == "alpha");
  CHECK(read(disk.roots, "docs/sub/b.txt") == "beta");
  CHECK(read(disk.roots, "docs//sub/./b.txt") == "beta");
  CHECK(disk.roots.locate("docs/").relative == "");
  CHECK(disk.roots.locate("docs/sub/").shown() == "docs/sub");
}

TEST_CASE("a path that names nothing beneath a root is refused, and the roots are named") {
  Disk disk;
  const std::string outside[] = {"",
                                 "/",
                                 "/etc/passwd",
                                 "a.txt",
                                 "secret/key",
                                 "..",
                                 "../secret",
                                 "doc",
                                 "docs2/x",
                                 "~/x",
                                 "\\\\docs\\a",
                                 "DOCS/a.txt",
                                 "./docs/a",
                                 "/docs/a",
                                 disk.directory.path("docs/a.txt"),
                                 "file:///docs"};
  for (const auto& path : outside) {
    INFO(path);
    const auto message = refusal([&] { (void)disk.roots.locate(path); });
    CHECK_THAT(message, Catch::Contains("docs, src"));
  }
}

TEST_CASE("no '..' is taken, wherever it stands") {
  Disk disk;
  for (const char* path :
       {"docs/..", "docs/../secret/key", "docs/sub/../../key", "docs/sub/..", "docs/./../key", "docs//.."}) {
    INFO(path);
    CHECK_THAT(refusal([&] { (void)disk.roots.locate(path); }), Catch::Contains("\"..\" is not allowed"));
  }
  disk.directory.put("docs/..x", "fine");
  CHECK(read(disk.roots, "docs/..x") == "fine");
}

TEST_CASE("a path with NUL, or too long a one, is refused") {
  Disk disk;
  CHECK_THAT(refusal([&] { (void)disk.roots.locate(std::string_view("docs/a.txt\0.png", 15)); }),
             Catch::Contains("NUL"));
  CHECK_NOTHROW(disk.roots.locate("docs/" + std::string(3'995, 'x')));
  CHECK_THAT(refusal([&] { (void)disk.roots.locate("docs/" + std::string(3'996, 'x')); }),
             Catch::Contains("too long"));
  const std::string overlong = "docs/" + std::string(256, 'x');
  CHECK_THAT(refusal([&] { read(disk.roots, overlong); }), Catch::Contains("too long"));
  CHECK_THAT(refusal([&] { write_file(disk.roots.locate(overlong), "x", {}); }), Catch::Contains("too long"));
}

TEST_CASE("a symbolic link is followed inside its root and never out of it") {
  Disk disk;
  disk.link("a.txt", "docs/inside");
  disk.link("sub", "docs/inside_directory");
  disk.link("../key", "docs/relative");
  disk.link("../secret", "docs/directory");
  disk.link(disk.directory.path("docs/a.txt"), "docs/absolute");
  disk.link("../docs/a.txt", "docs/out_and_in");
  disk.link("loop", "docs/loop");
  disk.link("/proc/self/root", "docs/magic");
  disk.link("missing", "docs/dangling");
  CHECK(read(disk.roots, "docs/inside") == "alpha");
  CHECK(read(disk.roots, "docs/inside_directory/b.txt") == "beta");
  for (const char* path : {"docs/relative", "docs/directory/key", "docs/absolute", "docs/out_and_in", "docs/loop",
                           "docs/magic/etc/passwd", "docs/dangling"}) {
    INFO(path);
    CHECK_THROWS_AS(read(disk.roots, path), Failure);
  }
  CHECK_THAT(refusal([&] { read(disk.roots, "docs/relative"); }), Catch::Contains("leads out of its root"));
  CHECK_THROWS_AS(write_file(disk.roots.locate("docs/directory/new"), "x", {true, true}), Failure);
  CHECK_THROWS_AS(write_file(disk.roots.locate("docs/relative"), "x", {true, false}), Failure);
  CHECK(disk.directory.get("key") == "hunter2");
}

TEST_CASE("without openat2 no symbolic link is followed at all") {
  Disk disk;
  disk.link("a.txt", "docs/inside");
  disk.link("sub", "docs/inside_directory");
  disk.link("../secret", "docs/directory");
  const Descriptor docs(::open(disk.directory.path("docs").c_str(), O_PATH | O_DIRECTORY));
  REQUIRE(docs);
  CHECK(open_beneath_stepwise(docs.get(), "a.txt", O_RDONLY));
  CHECK(open_beneath_stepwise(docs.get(), "sub/b.txt", O_RDONLY));
  CHECK(open_beneath_stepwise(docs.get(), "", O_RDONLY | O_DIRECTORY));
  for (const char* path :
       {"inside", "inside_directory/b.txt", "directory/key", "directory", "missing", "a.txt/x"}) {
    INFO(path);
    CHECK_FALSE(open_beneath_stepwise(docs.get(), path, O_RDONLY));
  }
}

TEST_CASE("devices, FIFOs and sockets are refused without being opened") {
  Disk disk;
  REQUIRE(::mkfifo(disk.directory.path("docs/fifo").c_str(), 0600) == 0);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = disk.directory.path("docs/socket");
  REQUIRE(path.size() < sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const Descriptor closes(socket);
  disk.link("/dev/zero", "docs/zero");
  disk.link("/dev/tty", "docs/tty");

  for (const char* name : {"docs/fifo", "docs/socket"}) {
    INFO(name);
    CHECK_THAT(refusal([&] { read(disk.roots, name); }), Catch::Contains("not a regular file"));
    CHECK_THAT(refusal([&] {
                 write_file(disk.roots.locate(name), "x", {true, false});
               }),
               Catch::Contains("only a regular file"));
  }
  CHECK_THROWS_AS(read(disk.roots, "docs/zero"), Failure);
  CHECK_THROWS_AS(read(disk.roots, "docs/tty"), Failure);
  CHECK_THAT(refusal([&] { read(disk.roots, "docs/sub"); }), Catch::Contains("files_list"));

  const Roots devices({{"dev", "/dev", false}});
  CHECK_THAT(refusal([&] { read(devices, "dev/zero"); }), Catch::Contains("not a regular file"));
}

TEST_CASE("a directory swapped for a link out of the root is never entered") {
  Disk disk;
  disk.directory.put("docs/swapped/key", "mine");
  disk.directory.put("docs/spare/key", "mine");
  disk.link("../secret", "docs/trap");
  std::atomic<bool> done{false};
  std::thread swapper([&] {
    const auto docs = disk.directory.path("docs/");
    while (!done) {
      ::renameat2(AT_FDCWD, (docs + "swapped").c_str(), AT_FDCWD, (docs + "trap").c_str(), RENAME_EXCHANGE);
    }
  });
  unsigned mine = 0, refused = 0, leaked = 0;
  for (int i = 0; i < 2'000 || ((mine == 0 || refused == 0) && i < 200'000); ++i) {
    try {
      ++(read(disk.roots, "docs/swapped/key") == "mine" ? mine : leaked);
    } catch (const Failure&) {
      ++refused;
    }
  }
  for (int i = 0; i < 200; ++i) {
    walk(
        disk.roots.locate("docs"), 1'000, [] { return false; },
        [&](const Location& location, Kind) {
          try {
            std::string content;
            read_whole(location, 1'000, content);
            leaked += content == "hunter2";
          } catch (const Failure&) {
          }
          return true;
        });
    try {
      write_file(disk.roots.locate("docs/swapped/new"), "x", {true, false});
    } catch (const Failure&) {
    }
  }
  done = true;
  swapper.join();
  CHECK(leaked == 0);
  CHECK(mine > 0);
  CHECK(refused > 0);
  CHECK_FALSE(disk.directory.has("secret/new"));
}

TEST_CASE("a root is configured with a fit name, once") {
  CHECK(Roots({{"", "/srv/docs/", false}}).all()[0].name == "docs");
  CHECK(Roots({{"", "/srv/a/../docs", false}}).all()[0].name == "docs");
  for (const char* name : {".", "..", "a/b", "a b", "*", "a\n", "?"}) {
    INFO(name);
    CHECK_THROWS_AS(Roots({{name, "/srv", false}}), Failure);
  }
  CHECK_THROWS_AS(Roots({{"", "/", false}}), Failure);
  CHECK_THROWS_AS(Roots({{"a", "", false}}), Failure);
  CHECK_THAT(refusal([] {
               Roots({{"", "/a/docs", false}, {"", "/b/docs", false}});
             }),
             Catch::Contains("two roots"));
  CHECK_THAT(refusal([] { (void)Roots({}).locate("x"); }), Catch::Contains("roots = ["));
}

TEST_CASE("a root whose directory is missing is an error of its own") {
  TemporaryDirectory directory;
  const Roots roots({{"gone", directory.path("gone"), false}});
  CHECK_THAT(refusal([&] { read(roots, "gone/x"); }), Catch::Contains(directory.path("gone")));
  directory.put("gone/x", "back");
  CHECK(read(roots, "gone/x") == "back");
}
