#include "service/plugin_specs.h"

#include <filesystem>
#include <fstream>

#include "support/catch.h"

using namespace collet;
using plugin::PluginSpec;
using service::keep_vanished;
using service::plugin_specs;

namespace {

namespace fs = std::filesystem;

// A folder of plugins: "importer" imports from remotes, "sample" does not.
struct Folder {
  Folder() {
    std::string made = fs::temp_directory_path() / "collet-specs-XXXXXX";
    REQUIRE(mkdtemp(made.data()));
    path = made;
    config.plugins.paths = {path};
  }
  ~Folder() { fs::remove_all(path); }

  std::string put(const std::string& module, const std::string& name) const {
    const fs::path file = path / (name + ".so");
    fs::copy_file(fs::path(COLLET_TEST_MODULES) / (module + ".so"), file, fs::copy_options::overwrite_existing);
    return file;
  }
  void configure(const std::string& id, const std::string& library) {
    config::Plugin plugin;
    plugin.id = id;
    plugin.library = library;
    config.plugin.push_back(plugin);
  }
  void add_remote() { config.remote.push_back({"r", R"({"name":"r","url":"http://127.0.0.1:1"})", {}}); }

  fs::path path;
  config::Config config;
};

// "id" each, with a star behind the one that imports from remotes.
std::vector<std::string> ids_of(const std::vector<PluginSpec>& specs) {
  std::vector<std::string> ids;
  for (const PluginSpec& spec : specs) {
    ids.push_back(spec.id + (spec.imports_remotes ? "*" : ""));
    if (spec.imports_remotes) CHECK(spec.config.starts_with(R"({"remotes":[)"));
  }
  return ids;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("of a folder's plugins the first by name that imports from remotes does so") {
  Folder folder;
  folder.put("sample", "a");
  folder.put("importer", "m");
  folder.put("importer", "z");
  CHECK(ids_of(plugin_specs(folder.config)) == Ids{"a"});
  folder.add_remote();
  CHECK(ids_of(plugin_specs(folder.config)) == Ids{"a", "m*"});
}

TEST_CASE("a plugin that imports from remotes and has a table is loaded in any case, before all others") {
  Folder folder;
  folder.put("importer", "a");
  folder.configure("z", folder.put("importer", "z"));
  CHECK(ids_of(plugin_specs(folder.config)) == Ids{"z*"});
  folder.add_remote();
  CHECK(ids_of(plugin_specs(folder.config)) == Ids{"z*"});
}

TEST_CASE("without another one ours imports from remotes, under an id of its own") {
  Folder folder;
  folder.add_remote();
  CHECK(ids_of(plugin_specs(folder.config)) == Ids{"client*"});
  folder.put("sample", "client");
  CHECK(ids_of(plugin_specs(folder.config)) == Ids{"client", "client_remotes*"});
}

TEST_CASE("who is to log in needs no other plugin") {
  Folder folder;
  folder.put("sample", "a");
  folder.put("importer", "m");
  folder.add_remote();
  folder.config.remotes_used_by = "login";
  CHECK(ids_of(plugin_specs(folder.config)) == Ids{"m*"});
}

TEST_CASE("what imports from remotes goes on to do so while its file is being written") {
  Folder folder;
  const std::string file = folder.put("importer", "m");
  folder.add_remote();
  const auto before = plugin_specs(folder.config);
  REQUIRE(ids_of(before) == Ids{"m*"});
  fs::resize_file(file, 100);
  CHECK(ids_of(plugin_specs(folder.config, before)) == Ids{"m*"});
  folder.put("sample", "m");
  CHECK(ids_of(plugin_specs(folder.config, before)) == Ids{"m", "client*"});
}

TEST_CASE("what imports from remotes is no second one while its file is missing") {
  Folder folder;
  const std::string file = folder.put("importer", "m");
  folder.put("sample", "s");
  folder.add_remote();
  const auto before = plugin_specs(folder.config);
  fs::remove(file);
  fs::remove(folder.path / "s.so");
  auto now = plugin_specs(folder.config, before);
  REQUIRE(ids_of(now) == Ids{"client*"});
  folder.config.remote.push_back({"q", R"({"name":"q"})", {}});
  now = plugin_specs(folder.config, before);
  keep_vanished(before, now);
  CHECK(ids_of(now) == Ids{"s", "m*"});
  CHECK(now.back().config.find(R"("name":"q")") != std::string::npos);
  folder.config.remote.clear();
  now = plugin_specs(folder.config, before);
  keep_vanished(before, now);
  CHECK(ids_of(now) == Ids{"s"});
}
