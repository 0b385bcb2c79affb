// Where this program is, and the plugins that came with it.
#pragma once

#include <filesystem>
#include <string>

namespace collet::service {

// This program's own file.
std::string program_file();
// Where plugins lie: beside the program in a build folder, or where an installation has them.
std::filesystem::path default_plugin_folder();

}  // namespace collet::service
