// A plugin with a library and a file beside it.
#define _GNU_SOURCE 1
#include <dlfcn.h>

#include <collet/plugin.hpp>
#include <filesystem>
#include <fstream>

extern "C" int neighbour_version(void);

namespace {

std::filesystem::path own_folder() {
  Dl_info info{};
  dladdr(reinterpret_cast<const void*>(&own_folder), &info);
  return std::filesystem::path(info.dli_fname).parent_path();
}

struct File {
  std::string path;
};

}  // namespace

COLLET_PLUGIN("org.example.neighboured", "1.0.0", plugin) {
  plugin.tool("version", "Of the library", [] { return std::to_string(neighbour_version()); });
  plugin.tool<File>("read", "A file, by its path from the plugin's folder", [](const File& file) -> std::string {
    std::ifstream stream(own_folder() / file.path);
    std::string text;
    return stream >> text ? text : "it cannot be read";
  });
}
