// The files that a plugin of one's own begins with: it greets somebody, is built, tested and debugged.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace collet::cli {

enum class PluginLanguage : std::uint8_t { c, cpp };

struct TemplateFile {
  std::string path;  // below the plugin's folder
  std::string text;
};

// Of a plugin of that name, which is_plugin_name() is true of. It names its library, its CMake target and its tool.
std::vector<TemplateFile> plugin_template(PluginLanguage language, std::string_view name);

bool is_plugin_name(std::string_view name);
inline constexpr std::string_view kPluginNameMustBe =
    "1 to 64 of a-z, 0-9, _ and -, with a letter first, and no target of CMake's own, such as \"test\"";

}  // namespace collet::cli
