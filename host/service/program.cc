#include "service/program.h"

namespace collet::service {

namespace fs = std::filesystem;

fs::path default_plugin_folder() {
  const fs::path program = program_file();
  const fs::path built = program.parent_path().parent_path() / "plugins";
  if (fs::is_directory(built)) return built;
  return program.parent_path().parent_path() / COLLET_PLUGIN_FOLDER;
}

std::string program_file() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored);
}

}  // namespace collet::service
