#include "plugin/load/elf_file.h"

#include <algorithm>
#include <fstream>

#include "base/json.h"
#include "house.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;

namespace {

std::vector<std::byte> bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

bool has(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

TEST_CASE("a clean plugin in C") {
  const auto report = read_elf_file(module_path("sample"));
  REQUIRE(report);
  CHECK(report->bits == 64);
  CHECK(has(report->exports, "collet_plugin_entry_v1"));
  CHECK(has(report->needed, "libc.so.6"));
  CHECK_FALSE(report->glibc.empty());
  CHECK(report->unique.empty());
  CHECK(report->inline_allowed());
  CHECK(report->unloadable());
  CHECK(report->errors.empty());
  CHECK(report->to_text().find("unloadable      yes\n") != std::string::npos);
  CHECK(json::is_object(report->to_json()));
}

TEST_CASE("what keeps a library from being unloaded, or from a loop, is seen") {
  const auto report = read_elf_file(module_path("hostile_sticky"));
  REQUIRE(report);
  CHECK(report->unique.size() == 1);
  CHECK_FALSE(report->unloadable());
  CHECK(report->thread_exit_hooks);
  CHECK_FALSE(report->inline_allowed());
  CHECK(report->inline_obstacle().find("__cxa_thread_atexit") != std::string::npos);
  CHECK_FALSE(report->glibcxx.empty());

  const auto linked = read_elf_file(module_path("hostile_linked_badly"));
  REQUIRE(linked);
  CHECK(linked->nodelete);
  CHECK(linked->runpath == "$ORIGIN/lib");
  CHECK(linked->soname == "libodd.so.1");
  CHECK(linked->warnings.size() == 1);
}

TEST_CASE("a library without the entry is barred") {
  const auto report = read_elf_file(module_path("hostile_no_symbol"));
  REQUIRE(report);
  REQUIRE(report->errors.size() == 1);
  CHECK(report->errors[0].find("collet_plugin_entry_v1") != std::string::npos);
}

TEST_CASE("as many exports are listed as the limit says, and a library with more is read all the same") {
  static_assert(limits::kElfNamesMax == 4096);
  const auto all = read_elf_file(module_path("hostile_exports_4096"));
  REQUIRE(all);
  CHECK(all->exports.size() == 4096);
  for (int i = 0; i < 4096; ++i) REQUIRE(has(all->exports, "name_" + std::to_string(i)));
  const auto more = read_elf_file(module_path("hostile_exports_4097"));
  REQUIRE(more);
  CHECK(more->exports.size() == 4096);
  CHECK(more->errors == all->errors);
}

TEST_CASE("a file cut off anywhere is an error or a report, never a crash") {
  const auto file = bytes_of(module_path("sample"));
  for (std::size_t size = 0; size < file.size(); size += size < 2'048 ? 1 : 97) {
    // Its own allocation, so that reading past the end is seen.
    const std::vector<std::byte> part(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE((read_elf(part) && read_elf(part)->errors.empty()));
  }
}

TEST_CASE("any byte of a file may be wrong") {
  const auto file = bytes_of(module_path("sample"));
  unsigned good = 0;
  for (std::size_t at = 0; at < std::min<std::size_t>(file.size(), 6'000); ++at) {
    for (const auto value : {std::byte{0}, std::byte{0x7f}, std::byte{0xff}}) {
      auto bad = file;
      bad[at] = value;
      if (read_elf(bad)) ++good;
    }
  }
  CHECK(good > 0);
}
