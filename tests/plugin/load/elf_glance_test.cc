#include "plugin/load/elf_glance.h"

#include <filesystem>
#include <fstream>

#include "house.h"
#include "support/catch.h"

using namespace collet::plugin;

TEST_CASE("a library that is no plugin is told from one that is, and from what cannot be read") {
  CHECK(is_other_library(module_path("hostile_no_symbol")));
  CHECK_FALSE(is_other_library(module_path("sample")));
  CHECK(is_other_library(module_path("hostile_exports_4097")));
  CHECK_FALSE(is_other_library(module_path("not_there")));
  CHECK(imports_remotes(module_path("importer")));
  CHECK_FALSE(imports_remotes(module_path("sample")));
  CHECK_FALSE(imports_remotes(module_path("not_there")));
  std::ifstream file(module_path("hostile_no_symbol"), std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), {}};
  std::string folder = std::filesystem::temp_directory_path() / "collet-glance-XXXXXX";
  REQUIRE(mkdtemp(folder.data()));
  const std::string path = folder + "/library.so";
  for (std::size_t size = 0; size < whole.size(); size += size < 4096 ? 1 : 997) {
    std::ofstream(path, std::ios::binary).write(whole.data(), static_cast<std::streamsize>(size));
    CHECK_FALSE(is_other_library(path));
    CHECK(is_cut_off(path));
  }
  for (std::size_t at = 0; at < 2'048; ++at) {
    std::string bad = whole;
    bad[at] = static_cast<char>(~bad[at]);
    std::ofstream(path, std::ios::binary) << bad;
    static_cast<void>(is_other_library(path));
    static_cast<void>(imports_remotes(path));
  }
  std::filesystem::remove_all(folder);
}
