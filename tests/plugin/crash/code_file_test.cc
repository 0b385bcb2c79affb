#include "plugin/crash/code_file.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "house.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;

namespace {

std::string text_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ChangedFile {
 public:
  ChangedFile() : path_(std::filesystem::temp_directory_path() / ("collet-code-file-" + std::to_string(getpid()))) {}
  ~ChangedFile() { std::filesystem::remove(path_); }

  const std::string& hold(std::string_view bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
    return path_;
  }

 private:
  const std::string path_;
};

// Of the entry function, in the file's own counting.
std::uint64_t entry_of(const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library);
  link_map* map = nullptr;
  dlinfo(library, RTLD_DI_LINKMAP, &map);
  const auto at = reinterpret_cast<std::uint64_t>(dlsym(library, COLLET_ENTRY_SYMBOL)) - map->l_addr;
  dlclose(library);
  return at;
}

}  // namespace

TEST_CASE("code is called by the function that it is in, and how far in that it is") {
  const std::string path = module_path("sample");
  const crash::CodeFile file(path);
  const std::uint64_t entry = entry_of(path);
  CHECK(file.name_at(entry).function == COLLET_ENTRY_SYMBOL);
  CHECK(file.name_at(entry).past == 0);
  CHECK(file.name_at(entry + 1).function == COLLET_ENTRY_SYMBOL);
  CHECK(file.name_at(entry + 1).past == 1);
  CHECK(file.name_at(~0ull).function.empty());
}

TEST_CASE("what is no ELF file, or cannot be opened, has no names") {
  for (const char* path : {"/nowhere", "/dev/null", "/proc/self/status", "/tmp", __FILE__}) {
    CHECK(crash::CodeFile(path).name_at(0).function.empty());
  }
}

TEST_CASE("a file of code that is cut off anywhere, or wrong in any byte, has names or none, and nothing else comes of it") {
  const std::string whole = text_of_file(module_path("sample"));
  const std::uint64_t entry = entry_of(module_path("sample"));
  ChangedFile changed;
  for (std::size_t size = 0; size < whole.size(); size += size < sizeof(Elf64_Ehdr) ? 1 : 97) {
    const crash::CodeFile file(changed.hold(std::string_view(whole).substr(0, size)));
    CHECK(file.name_at(entry).function.empty());
  }
  const auto sections = reinterpret_cast<const Elf64_Ehdr*>(whole.data())->e_shoff;
  std::mt19937 random(1);
  for (int i = 0; i < 2'000; ++i) {
    std::string bytes = whole;
    const std::size_t at = i % 2 == 0 ? random() % sizeof(Elf64_Ehdr) : sections + random() % (whole.size() - sections);
    bytes[at] = static_cast<char>(random());
    crash::CodeFile(changed.hold(bytes)).name_at(entry);
  }
}

TEST_CASE("what is no regular file is not opened, as that may do something") {
  const std::string path = std::filesystem::temp_directory_path() / ("collet-code-fifo-" + std::to_string(getpid()));
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const Descriptor watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  REQUIRE(inotify_add_watch(watch.get(), path.c_str(), IN_OPEN) >= 0);
  const crash::CodeFile file(path);
  CHECK(file.name_at(0).function.empty());
  char event[256];
  CHECK(read(watch.get(), event, sizeof event) < 0);
  std::filesystem::remove(path);
  CHECK(crash::CodeFile("/proc/self/status").descriptor() < 0);  // nor kept open what is none but is called so
}
