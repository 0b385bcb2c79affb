#include "cli/one_plugin.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/text.h"
#include "cli/output.h"
#include "service/plugin_specs.h"

namespace collet::cli {
namespace {

namespace fs = std::filesystem;

bool is_same_file(const std::string& a, const std::string& b) {
  std::error_code failed;
  return fs::equivalent(a, b, failed) && !failed;
}

// The one of the configuration's table, or one without a table.
config::Plugin entry_of(const config::Config& config, const std::string& id, const std::string& library) {
  const auto has_id = [&](const config::Plugin& each) { return each.id == id; };
  const auto found = std::find_if(config.plugin.begin(), config.plugin.end(), has_id);
  config::Plugin entry;
  if (found != config.plugin.end()) entry = *found;
  if (found == config.plugin.end()) {
    entry.id = id;
    entry.timeout_ms = config.plugins.timeout_ms;
    entry.config_places = ConfigPlaces(fmt::format("plugin.{}.config", text::bare_or_quoted(id)));
  }
  entry.enabled = true;
  entry.library = library;
  return entry;
}

}  // namespace

Result<config::Config> only_plugin(const config::Config& config, const std::string& plugin) {
  config::Config all = config;
  all.remote.clear();
  for (config::Plugin& each : all.plugin) each.enabled = true;
  const auto specs = service::plugin_specs(all);
  const bool is_file = plugin.find('/') != std::string::npos || plugin.ends_with(".so") || specs.empty();
  const auto found = std::find_if(specs.begin(), specs.end(), [&](const plugin::PluginSpec& spec) {
    return is_file ? is_same_file(spec.library, plugin) : spec.id == plugin;
  });
  if (!is_file && found == specs.end()) {
    std::vector<std::string> known;
    for (const plugin::PluginSpec& spec : specs) known.push_back(spec.id);
    return error("there is no plugin {}{}", plugin, suggestion(plugin, known));
  }
  const std::string id = found == specs.end() ? fs::path(plugin).stem().string() : found->id;
  all.plugin = {entry_of(all, id, is_file ? plugin : found->library)};
  all.plugins.paths.clear();
  return all;
}

}  // namespace collet::cli
