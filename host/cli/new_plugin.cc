#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "cli/plugin_template.h"
#include "cli/verbs.h"
#include "config/section.h"

namespace collet::cli {
namespace {

namespace fs = std::filesystem;

// Where the SDK is installed with this program, if it is.
std::optional<std::string> sdk_prefix() {
  std::error_code failed;
  const fs::path prefix = fs::read_symlink("/proc/self/exe", failed).parent_path().parent_path();
  if (failed || !fs::exists(prefix / "share/cmake/Collet/ColletConfig.cmake", failed)) return std::nullopt;
  return prefix.string();
}

// Nothing of what is there is touched.
Result<void> write_new(const fs::path& path, const std::string& text) {
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  if (fs::exists(path, failed)) return error("{} is there already", path.string());
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return error("cannot write {}: {}", path.string(), std::strerror(errno));
  return {};
}

}  // namespace

int new_plugin(const NewOptions& options, Output& out) {
  std::error_code failed;
  const fs::path folder = fs::absolute(options.folder, failed).lexically_normal();
  const std::string name = (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  if (!is_plugin_name(name)) {
    return complain(fmt::format("a plugin cannot be called {}: that must be {}", config::in_quotes(name), kPluginNameMustBe));
  }
  const fs::path shown = fs::path(options.folder) / "";
  if (fs::exists(folder, failed) && !fs::is_empty(folder, failed)) {
    return complain(fmt::format("{} is there already, and not empty", shown.string()));
  }
  for (const TemplateFile& file : plugin_template(options.language, name)) {
    if (const auto written = write_new(folder / file.path, file.text); !written) return complain(written.message(), kUnwritten);
    out.print("{}\n", (shown / file.path).string());
  }
  const auto prefix = sdk_prefix();
  const std::string where = prefix ? " -DCMAKE_PREFIX_PATH=" + *prefix : "";
  if (!prefix) out.write("\nInstall Collet with its SDK first: cmake --install BUILD_FOLDER --prefix \"$HOME/.local\"\n");
  out.print("\nNext:\n"
            "  cd {}\n"
            "  cmake -B build{} && cmake --build build\n"
            "  collet call {} name=Ada -c build/collet.toml\n"
            "  ctest --test-dir build\n"
            "  collet dev . --call {} --args '{{\"name\":\"Ada\"}}'    builds it and calls it whenever you save\n",
            options.folder, where, name, name);
  return kOk;
}

}  // namespace collet::cli
