#include <csignal>

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "files/grep.h"
#include "files/read.h"
#include "files/utf8.h"
#include "files/walk.h"
#include "files/write.h"
#include "plugins/temporary_directory.h"
#include "support/catch.h"

using namespace files;
namespace fs = std::filesystem;

namespace {

const Cancelled kNever = [] { return false; };

struct Disk {
  TemporaryDirectory directory;
  Roots roots{{{"r", directory.path("r"), true}, {"ro", directory.path("r"), false}}};

  Disk() { fs::create_directory(directory.path("r")); }
  Location at(std::string_view path) const { return roots.locate(path); }
};

template <class Action>
std::string refusal(Action&& action) {
  try {
    action();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "no failure";
}

std::vector<std::string> texts(const std::vector<LineMatch>& matches) {
  std::vector<std::string> lines;
  for (const auto& match : matches) lines.push_back(std::to_string(match.line) + ":" + match.text);
  return lines;
}

std::vector<LineMatch> grep(std::string_view text, const std::string& pattern, bool ignore_case = false,
                            unsigned context = 0, std::size_t max = 100) {
  return LinePattern(pattern, LinePattern::Syntax::regex, ignore_case).find(text, context, max, kNever);
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("whole characters are what is left of a text cut anywhere") {
  const std::string text = "aé€\U0001F600z";
  for (std::size_t begin = 0; begin <= text.size(); ++begin) {
    for (std::size_t end = begin; end <= text.size(); ++end) {
      const auto whole = whole_characters(std::string_view(text).substr(begin, end - begin));
      INFO(begin << ".." << end);
      CHECK(is_text(whole));
      CHECK(end - begin <= whole.size() + 6);
    }
  }
  CHECK(whole_characters(text) == text);
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xe2\x82"}) {
    CHECK_FALSE(is_utf8(bad));
  }
  CHECK_FALSE(is_text(std::string_view("a\0b", 3)));
}

TEST_CASE("a range of bytes is what the file has of it") {
  Disk disk;
  disk.directory.put("r/f", "0123456789");
  struct Case {
    std::uint64_t offset, length;
    const char* bytes;
    bool at_end;
  };
  const Case cases[] = {
      {0, 4, "0123", false}, {4, 100, "456789", true}, {0, 10, "0123456789", true}, {9, 1, "9", true},
      {10, 5, "", true},     {99, 5, "", true},        {0, 0, "", false},           {UINT64_MAX, 1'000, "", true}};
  for (const auto& c : cases) {
    INFO(c.offset << "+" << c.length);
    const Part part = read_bytes(disk.at("r/f"), c.offset, c.length);
    CHECK(part.bytes == c.bytes);
    CHECK(part.at_end == c.at_end);
    CHECK(part.file_size == 10);
  }
  disk.directory.put("r/empty", "");
  CHECK(read_bytes(disk.at("r/empty"), 0, 10).at_end);
}

TEST_CASE("a range of lines is counted from 1 and cut at the limit") {
  Disk disk;
  disk.directory.put("r/f", "one\ntwo\nthree\nfour");
  struct Case {
    std::uint64_t first, count;
    std::size_t max;
    const char* bytes;
    std::uint64_t last;
    bool at_end, cut;
  };
  const Case cases[] = {
      {1, 2, 100, "one\ntwo\n", 2, false, false},
      {3, 9, 100, "three\nfour", 4, true, false},
      {4, 1, 100, "four", 4, true, false},
      {5, 1, 100, "", 0, true, false},
      {1, 9, 8, "one\ntwo\n", 2, false, false},
      {1, 9, 9, "one\ntwo\nt", 3, false, true},
      {1, 9, 18, "one\ntwo\nthree\nfour", 4, true, false},
      {1, 9, 17, "one\ntwo\nthree\nfou", 4, false, true},
  };
  for (const auto& c : cases) {
    INFO(c.first << "+" << c.count << " in " << c.max);
    const Part part = read_lines(disk.at("r/f"), c.first, c.count, c.max, kNever);
    CHECK(part.bytes == c.bytes);
    CHECK(part.last_line == c.last);
    CHECK(part.at_end == c.at_end);
    CHECK(part.line_is_cut == c.cut);
  }
}

TEST_CASE("lines are found across the chunks that a file is read in") {
  Disk disk;
  std::string content;
  for (int i = 1; i <= 40'000; ++i) content += "line " + std::to_string(i) + "\n";
  disk.directory.put("r/f", content);
  for (const std::uint64_t line : {1, 9'999, 11'000, 23'456, 40'000}) {
    const Part part = read_lines(disk.at("r/f"), line, 1, 100, kNever);
    const std::string expected = "line " + std::to_string(line) + "\n";
    CHECK(part.bytes == expected);
    CHECK(part.offset == content.find(expected));
  }
  CHECK(read_lines(disk.at("r/f"), 2, 50'000, 1 << 20, kNever).bytes == content.substr(7));
}

TEST_CASE("a whole file is read up to the limit and not one byte past it") {
  Disk disk;
  disk.directory.put("r/f", "12345");
  std::string content;
  CHECK(read_whole(disk.at("r/f"), 5, content));
  CHECK(content == "12345");
  CHECK_FALSE(read_whole(disk.at("r/f"), 4, content));

  const Roots proc({{"self", "/proc/self", false}});  // whose files say that they have no bytes
  CHECK(read_whole(proc.locate("self/status"), 100'000, content));
  CHECK_THAT(content, Catch::Contains("VmRSS"));
  CHECK_FALSE(read_whole(proc.locate("self/status"), 100, content));
}

TEST_CASE("writing replaces only what it was told to, keeps permissions and leaves no draft") {
  Disk disk;
  write_file(disk.at("r/f"), "one", {});
  CHECK(disk.directory.get("r/f") == "one");
  CHECK_THAT(refusal([&] { write_file(disk.at("r/f"), "two", {}); }), Catch::Contains("overwrite"));
  CHECK(disk.directory.get("r/f") == "one");
  fs::permissions(disk.directory.path("r/f"), fs::perms(0640));
  write_file(disk.at("r/f"), "two", {true, false});
  CHECK(disk.directory.get("r/f") == "two");
  CHECK(fs::status(disk.directory.path("r/f")).permissions() == fs::perms(0640));

  CHECK_THAT(refusal([&] { write_file(disk.at("r/new/deep/f"), "x", {}); }),
             Catch::Contains("cannot open directory"));
  write_file(disk.at("r/new/deep/f"), "x", {false, true});
  CHECK(disk.directory.get("r/new/deep/f") == "x");

  CHECK_THAT(refusal([&] { write_file(disk.at("ro/g"), "x", {}); }), Catch::Contains("read-only"));
  CHECK_THAT(refusal([&] { write_file(disk.at("r"), "x", {}); }), Catch::Contains("directory"));
  CHECK_THAT(refusal([&] { write_file(disk.at("r/new"), "x", {true, false}); }), Catch::Contains("directory"));
  CHECK_THROWS_AS(write_file(disk.at("r/f/x"), "x", {true, true}), Failure);
  CHECK(read_directory(disk.at("r")).entries.size() == 2);
}

TEST_CASE("writing through a hard link or over a symbolic link leaves the other name alone") {
  Disk disk;
  disk.directory.put("r/f", "old");
  fs::create_hard_link(disk.directory.path("r/f"), disk.directory.path("r/hard"));
  fs::create_symlink("f", disk.directory.path("r/soft"));
  write_file(disk.at("r/hard"), "new", {true, false});
  CHECK_THAT(refusal([&] { write_file(disk.at("r/soft"), "new", {true, false}); }), Catch::Contains("link"));
  CHECK(disk.directory.get("r/f") == "old");
  CHECK(disk.directory.get("r/hard") == "new");
}

TEST_CASE("a file that cannot be written whole leaves the old one and no draft") {
  Disk disk;
  disk.directory.put("r/f", "old");
  rlimit before;
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1'000, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const std::string message = refusal([&] { write_file(disk.at("r/f"), std::string(5'000, 'x'), {true, false}); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  CHECK_THAT(message, Catch::Contains("cannot write \"r/f\""));
  CHECK(disk.directory.get("r/f") == "old");
  CHECK(read_directory(disk.at("r")).entries.size() == 1);
}

TEST_CASE("a full disk leaves the old file") {
  Disk disk;
  const std::string mount_point = disk.directory.path("r");
  if (::mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=64k") != 0) {
    WARN("skipped: mounting a small tmpfs needs root");
    return;
  }
  disk.directory.put("r/f", "old");
  const std::string message = refusal([&] {
    write_file(disk.at("r/f"), std::string(200'000, 'x'), {true, false});
  });
  CHECK_THAT(message, Catch::Contains("No space left"));
  CHECK(disk.directory.get("r/f") == "old");
  CHECK(read_directory(disk.at("r")).entries.size() == 1);
  CHECK(::umount(mount_point.c_str()) == 0);
}

TEST_CASE("a walk is sorted, follows no link and counts what it cannot say") {
  Disk disk;
  for (const char* file : {"r/b/2", "r/b/1", "r/a.txt", "r/c/d/e/f", "r/z"}) disk.directory.put(file, "");
  fs::create_symlink("..", disk.directory.path("r/b/up"));
  disk.directory.put("r/b/\xff\xfe", "");
  const auto visited = [&](std::string_view start, std::uint64_t max, WalkReport& report) {
    Lines paths;
    report = walk(disk.at(start), max, kNever, [&](const Location& location, Kind) {
      paths.push_back(location.shown());
      return true;
    });
    return paths;
  };
  WalkReport report;
  const Lines all = {"r/a.txt", "r/b", "r/b/1", "r/b/2", "r/b/up", "r/c", "r/c/d", "r/c/d/e", "r/c/d/e/f", "r/z"};
  CHECK(visited("r", 100, report) == all);
  CHECK(report.complete);
  CHECK(report.unnameable == 1);
  CHECK(visited("r", 10, report) == all);
  CHECK(report.complete);
  CHECK(visited("r", 9, report) == Lines(all.begin(), all.end() - 1));
  CHECK_FALSE(report.complete);
  CHECK(visited("r/b/up/b", 100, report) == Lines{"r/b/up/b/1", "r/b/up/b/2", "r/b/up/b/up"});
}

TEST_CASE("a walk may start at a file and ends when it is cancelled") {
  Disk disk;
  disk.directory.put("r/a/b", "");
  disk.directory.put("r/c", "");
  int visits = 0;
  const auto count = [&](const Location&, Kind) { return ++visits > 0; };
  CHECK(walk(disk.at("r/a/b"), 10, kNever, count).entries == 1);
  CHECK(visits == 1);
  const auto report = walk(
      disk.at("r"), 10, [&] { return visits == 2; }, count);
  CHECK(visits == 2);
  CHECK_FALSE(report.complete);
  CHECK_THROWS_AS(walk(disk.at("r/missing"), 10, kNever, count), Failure);
}

TEST_CASE("a pattern finds lines, with their numbers and what stands around them") {
  const std::string text = "one\ntwo\nthree\n\nfive two\nsix";
  CHECK(texts(grep(text, "two")) == Lines{"2:two", "5:five two"});
  CHECK(texts(grep(text, "^two$")) == Lines{"2:two"});
  CHECK(texts(grep(text, "TWO", true)) == Lines{"2:two", "5:five two"});
  CHECK(texts(grep(text, "TWO")).empty());
  CHECK(texts(grep(text, "^$")) == Lines{"4:"});
  CHECK(texts(grep(text, "x*")).size() == 6);
  CHECK(texts(grep("a\n", "x*")) == Lines{"1:a"});
  CHECK(texts(grep(text, "e\\s+t")) == Lines{"5:five two"});
  CHECK(texts(grep("a\nb", "a[^x]b")).empty());  // never across lines
  CHECK(texts(grep(text, "[a-z]", false, 0, 3)) == Lines{"1:one", "2:two", "3:three"});
  CHECK(texts(grep("x\r\ny\r\n", "x")) == Lines{"1:x"});
  CHECK(texts(grep("", "x*")).empty());

  const auto matches = grep(text, "three|six", false, 2);
  REQUIRE(matches.size() == 2);
  CHECK(matches[0].before == Lines{"one", "two"});
  CHECK(matches[0].after == Lines{"", "five two"});
  CHECK(matches[1].before == Lines{"", "five two"});
  CHECK(matches[1].after.empty());
}

TEST_CASE("plain text is taken literally") {
  const auto literal = [](std::string_view text, const std::string& pattern) {
    return LinePattern(pattern, LinePattern::Syntax::literal, false).find(text, 0, 10, kNever).size();
  };
  CHECK(literal("f(x)\nfx\n", "f(x)") == 1);
  CHECK(literal("a.c\nabc\n", "a.c") == 1);
  CHECK(literal("\\Q\\E", "\\E") == 1);
}

TEST_CASE("a bad or oversized pattern is refused with the reason") {
  const auto compile = [](const std::string& pattern) {
    return refusal([&] { LinePattern(pattern, LinePattern::Syntax::regex, false); });
  };
  CHECK_THAT(compile("f("), Catch::Contains("regex = false"));
  CHECK_THAT(compile("a)(b"), Catch::Contains("not a regular expression"));
  CHECK_THAT(compile("(a)\\1"), Catch::Contains("not a regular expression"));
  CHECK_THAT(compile("((a{1,100}){1,100}){1,100}"), Catch::Contains("not a regular expression"));
  CHECK_THAT(compile(""), Catch::Contains("empty"));
  CHECK_THAT(compile("a\nb"), Catch::Contains("one line"));
  CHECK(compile(std::string(4'096, 'a')) == "no failure");
  CHECK_THAT(compile(std::string(4'097, 'a')), Catch::Contains("too long"));
}

TEST_CASE("lines are numbered across slices, long ones are cut around the match") {
  std::string text;
  for (int i = 1; i <= 100'000; ++i) text += i % 25'000 == 0 ? "needle\n" : "some hay\n";
  CHECK(texts(grep(text, "^needle$")) == Lines{"25000:needle", "50000:needle", "75000:needle", "100000:needle"});
  std::string line(3'000, 'a');
  line.append("NEEDLE").append(3'000, 'b');
  const auto matches = grep(line, "NEEDLE");
  REQUIRE(matches.size() == 1);
  CHECK_THAT(matches[0].text, Catch::Contains("aNEEDLEb"));
  CHECK(matches[0].text.size() < 600);
}

TEST_CASE("a search ends soon after it is cancelled") {
  const std::string text(10 << 20, '\n');
  int looks = 0;
  const LinePattern pattern("needle", LinePattern::Syntax::literal, false);
  CHECK(pattern.find(text, 0, 10, [&] { return ++looks == 3; }).empty());
  CHECK(looks == 3);
}
