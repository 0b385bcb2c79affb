#include "foreign/file_change.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/catch.h"
#include "support/contents.h"

using namespace collet;
using test::contents;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    char path[] = "/tmp/collet-XXXXXX";
    path_ = mkdtemp(path);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path operator/(const char* name) const { return path_ / name; }
  std::size_t size() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

void write(const fs::path& file, std::string_view text) { std::ofstream(file) << text; }

const foreign::Check kGood = [](const fs::path&) -> Result<void> { return {}; };

foreign::FileChange change_of(const fs::path& file, std::uint64_t at, std::string text) {
  return {file, {}, at, std::move(text), {}};
}

}  // namespace

TEST_CASE("a changed file comes back byte for byte, with its mode") {
  const Folder folder;
  const fs::path file = folder / "a.toml";
  write(file, "one\ntwo\n");
  chmod(file.c_str(), 0640);
  auto change = change_of(file, 4, "new\n");
  REQUIRE(foreign::apply(change, kGood).ok());
  CHECK(contents(file) == "one\nnew\ntwo\n");
  CHECK(contents(change.backup) == "one\ntwo\n");
  CHECK((fs::status(file).permissions() & fs::perms::mask) == fs::perms(0640));
  CHECK(*foreign::take_back(change) == foreign::TakenBack::restored);
  CHECK(contents(file) == "one\ntwo\n");
  CHECK(folder.size() == 1);
}

TEST_CASE("a file that was made is gone again") {
  const Folder folder;
  auto change = change_of(folder / "sub/a.toml", 0, "new\n");
  REQUIRE(foreign::apply(change, kGood).ok());
  CHECK(change.backup.empty());
  CHECK(contents(change.file) == "new\n");
  CHECK(*foreign::take_back(change) == foreign::TakenBack::restored);
  CHECK(!fs::exists(change.file));
}

TEST_CASE("what others have written since stays when a change is taken back") {
  const Folder folder;
  const fs::path file = folder / "a.toml";
  write(file, "one\n");
  auto change = change_of(file, 4, "new\n");
  REQUIRE(foreign::apply(change, kGood).ok());
  write(file, "0\none\nnew\nthree\n");
  CHECK(*foreign::take_back(change) == foreign::TakenBack::cut_out);
  CHECK(contents(file) == "0\none\nthree\n");
  CHECK(contents(change.backup) == "one\n");
  CHECK(*foreign::take_back(change) == foreign::TakenBack::missing);
  CHECK(contents(file) == "0\none\nthree\n");
}

TEST_CASE("a member that others have written anew is found by its name") {
  const Folder folder;
  const fs::path file = folder / "a.json";
  write(file, "{}");
  foreign::FileChange change{file, {}, 1, "\"s\":{\"c\":{\"x\":1,\"y\":[2]}}", {{"s"}, "c"}};
  change.document = "{" + change.inserted + "}";
  REQUIRE(foreign::apply(change, kGood).ok());
  write(file, "{ \"s\": { \"b\": 0, \"c\": { \"y\": [ 2 ], \"x\": 1 } } }");
  CHECK(*foreign::take_back(change) == foreign::TakenBack::cut_out);
  CHECK(contents(file) == "{ \"s\": { \"b\": 0 } }");
  write(file, "{ \"s\": ");
  CHECK_THAT(foreign::take_back(change).message(), Catch::Contains("a.json"));
}

TEST_CASE("what a person has put under our name since is not taken out") {
  const Folder folder;
  struct {
    const char *name, *before, *text, *document, *since;
  } const cases[] = {
      {"a.json", "{}", "\"s\":{\"c\":{\"x\":1}}", "{\"s\":{\"c\":{\"x\":1}}}", "{\"s\":{\"c\":{\"x\":1,\"env\":{}}}}"},
      {"a.toml", "", "[s.c]\nx = 1\n", "[s.c]\nx = 1\n", "[s.c]\nx = 1\ny = 2\n"},
      {"b.toml", "", "[s.c]\nx = 1\n", "[s.c]\nx = 1\n", "[s.c]\nx = 1\n\n[s.c.env]\ny = \"2\"\n"},
      {"a.yaml", "s:\n", "  c:\n    x: 1\n", "s:\n  c:\n    x: 1\n", "s:\n  c:\n    x: 1\n    y: 2\n"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.name);
    const fs::path file = folder / each.name;
    write(file, each.before);
    foreign::FileChange change{file, {}, std::string_view(each.before).size(), each.text, {{"s"}, "c"}};
    if (file.extension() == ".json") change.at = 1;
    change.document = each.document;
    REQUIRE(foreign::apply(change, kGood).ok());
    write(file, each.since);
    CHECK(*foreign::take_back(change) == foreign::TakenBack::missing);
    CHECK(contents(file) == each.since);
  }
}

TEST_CASE("a key that was put behind our last table does not slip into another") {
  const Folder folder;
  const fs::path file = folder / "a.toml";
  write(file, "[a]\nx = 1\n");
  auto change = change_of(file, 10, "\n[b]\ny = 1\n");
  REQUIRE(foreign::apply(change, kGood).ok());
  write(file, "[a]\nx = 1\n\n[b]\ny = 1\nz = 1\n");
  CHECK(*foreign::take_back(change) == foreign::TakenBack::missing);
}

TEST_CASE("the right bytes are cut out of a file with a byte order mark") {
  const Folder folder;
  const fs::path file = folder / "a.toml";
  const std::string mark = "\xef\xbb\xbf";
  write(file, mark + "m = 1\n");
  foreign::FileChange change{file, {}, 9, "[s.c]\nx = 1\n", {{"s"}, "c"}};
  REQUIRE(foreign::apply(change, kGood).ok());
  write(file, mark + "m = 2\n[s.c]\nx = 1\n[d]\n");
  CHECK(*foreign::take_back(change) == foreign::TakenBack::cut_out);
  CHECK(contents(file) == mark + "m = 2\n[d]\n");
}

TEST_CASE("a file that has become UTF-16 is not cut") {
  const Folder folder;
  const fs::path file = folder / "a.toml";
  write(file, "");
  foreign::FileChange change{file, {}, 0, "[s.c]\nx = 1\n", {{"s"}, "c"}};
  REQUIRE(foreign::apply(change, kGood).ok());
  std::string wide = "\xff\xfe";
  for (const char c : std::string_view("[s.c]\nx = 1\n")) wide += std::string{c, '\0'};
  write(file, wide);
  CHECK_THAT(foreign::take_back(change).message(), Catch::Contains("UTF-16"));
  CHECK(contents(file) == wide);
}

TEST_CASE("a file that is gone, or no file any more, does not hold a change for ever") {
  const Folder folder;
  const fs::path file = folder / "a.toml";
  write(file, "one\n");
  auto change = change_of(file, 4, "new\n");
  REQUIRE(foreign::apply(change, kGood).ok());
  fs::remove(file);
  CHECK(*foreign::take_back(change) == foreign::TakenBack::gone);
  REQUIRE(mkfifo(file.c_str(), 0600) == 0);
  CHECK_THAT(foreign::take_back(change).message(), Catch::Contains("is not a regular file"));
  auto other = change_of(file, 0, "new\n");
  CHECK_THAT(foreign::apply(other, kGood).message(), Catch::Contains("is not a regular file"));
}

TEST_CASE("a draft of somebody else's is neither removed nor put in place") {
  const Folder folder;
  const fs::path file = folder / "a.toml";
  write(file, "one\n");
  write(file.string() + ".collet-new", "theirs");
  auto change = change_of(file, 4, "new\n");
  const auto swapped = foreign::apply(change, [](const fs::path& draft) -> Result<void> {
    fs::remove(draft);
    write(draft, "theirs");
    return {};
  });
  CHECK_THAT(swapped.message(), Catch::Contains("another program"));
  CHECK(contents(file) == "one\n");
  CHECK(contents(file.string() + ".collet-new") == "theirs");
}

TEST_CASE("what a process that was killed has left is told and removed") {
  const Folder folder;
  const fs::path file = folder / "a.toml";
  write(file, "one\n");
  auto change = change_of(file, 4, "new\n");
  REQUIRE(foreign::prepare(change).ok());
  write(file.string() + ".collet-new.abcdef", "half");
  fs::create_hard_link(file, change.backup);
  CHECK(!foreign::settle(change));
  CHECK(folder.size() == 1);
  CHECK(contents(file) == "one\n");
  REQUIRE(foreign::apply(change, kGood).ok());
  CHECK(foreign::settle(change));
  CHECK(*foreign::take_back(change) == foreign::TakenBack::restored);
}

TEST_CASE("a file that would be no good is not written, nor one that changes meanwhile") {
  const Folder folder;
  const fs::path file = folder / "a.toml";
  write(file, "one\n");
  auto change = change_of(file, 4, "new\n");
  const auto refused = foreign::apply(change, [](const fs::path& draft) -> Result<void> {
    CHECK(contents(draft) == "one\nnew\n");
    return error("no good");
  });
  CHECK(refused.message() == "no good");
  const auto raced = foreign::apply(change, [&](const fs::path&) -> Result<void> {
    write(file, "other\n");
    return {};
  });
  CHECK_THAT(raced.message(), Catch::Contains("has changed meanwhile"));
  CHECK(contents(file) == "other\n");
  CHECK(folder.size() == 1);
  CHECK(change.backup.empty());
}

TEST_CASE("a backup takes no name that is taken") {
  const Folder folder;
  const fs::path file = folder / "a.toml";
  write(file, "one\n");
  write(file.string() + ".before-collet", "mine");
  auto change = change_of(file, 4, "new\n");
  REQUIRE(foreign::apply(change, kGood).ok());
  CHECK(change.backup.filename() == "a.toml.before-collet.2");
  CHECK(contents(file.string() + ".before-collet") == "mine");
}
