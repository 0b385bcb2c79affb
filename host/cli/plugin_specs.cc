#include "cli/plugin_specs.h"

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "cli/host.h"
#include "cli/keeper.h"
#include "plugin/load/elf_glance.h"
#include "plugin/replace/loader.h"

namespace collet::cli {
namespace {

namespace fs = std::filesystem;

plugin::PluginSpec spec_of(const config::Plugin& plugin, std::string library) {
  plugin::PluginSpec spec;
  spec.id = plugin.id;
  spec.library = std::move(library);
  spec.config = plugin.config;
  spec.rules = plugin.names;
  spec.calls.inline_allowed = plugin.inline_calls;
  spec.calls.timeout_ms = plugin.timeout_ms;
  spec.calls.item_timeouts_ms = plugin.tool_timeouts;
  spec.placement = plugin.placement;
  spec.permissions = plugin.permissions;
  spec.drain_timeout_ms = plugin.drain_timeout_ms;
  return spec;
}

// The plugin that imports from other servers. It is loaded where there is one to import from.
constexpr const char* kClient = "client";

std::string client_config(const config::Config& config) {
  std::string remotes;
  for (const config::Remote& remote : config.remote) remotes += (remotes.empty() ? "" : ",") + remote.json;
  return fmt::format(R"({{"remotes":[{}],"name_bytes_max":{},"version":"{}","used_by":"{}",)"
                     R"("keeper":["/proc/self/exe","{}"]}})",
                     remotes, config.server.limits.tool_name_bytes_max, COLLET_VERSION, config.remotes_used_by, kKeepVerb);
}

// Its file is one of the folders', or beside the other plugins of this program.
void add_client(const config::Config& config, std::string library, std::vector<plugin::PluginSpec>& specs) {
  config::Plugin plugin;
  plugin.id = kClient;
  plugin.timeout_ms = config.plugins.timeout_ms;
  plugin.config = client_config(config);
  if (library.empty()) library = default_plugin_folder() / "client.so";
  specs.push_back(spec_of(plugin, std::move(library)));
}

const plugin::PluginSpec* find(const std::vector<plugin::PluginSpec>& specs, const std::string& id) {
  const auto found = std::find_if(specs.begin(), specs.end(), [&](const auto& spec) { return spec.id == id; });
  return found == specs.end() ? nullptr : &*found;
}

}  // namespace

std::vector<plugin::PluginSpec> plugin_specs(const config::Config& config,
                                             const std::vector<plugin::PluginSpec>& before) {
  std::vector<plugin::PluginSpec> specs;
  std::map<std::string, std::string> in_folders;
  for (const auto& file : plugin::discover(config.plugins.paths)) {
    if (file) {
      in_folders.emplace(fs::path(*file).stem(), *file);
    } else {
      log::warning("{}", file.message());
    }
  }
  for (const config::Plugin& plugin : config.plugin) {
    std::string library = plugin.library;
    if (const auto found = in_folders.find(plugin.id); found != in_folders.end()) {
      if (library.empty()) library = found->second;
      in_folders.erase(found);
    }
    if (!plugin.enabled) continue;
    const plugin::PluginSpec* known = find(before, plugin.id);
    if (library.empty() && known) library = known->library;
    if (library.empty() && !config.plugins.paths.empty()) {  // the loader says that it is not there
      library = fs::path(config.plugins.paths.front()) / (plugin.id + ".so");
    }
    if (library.empty()) {
      log::error("plugin {}: no `library` is set, and plugins.paths has no folders to look for it in", plugin.id);
      continue;
    }
    specs.push_back(spec_of(plugin, std::move(library)));
  }
  auto client = in_folders.extract(kClient);
  for (const auto& [id, library] : in_folders) {
    if (!find(before, id) && plugin::is_other_library(library)) {
      log::info("{} is no plugin, as it does not export collet_plugin_entry_v1: it is left alone", library);
      continue;
    }
    config::Plugin plugin;
    plugin.id = id;
    plugin.timeout_ms = config.plugins.timeout_ms;
    specs.push_back(spec_of(plugin, library));
  }
  if (!config.remote.empty()) add_client(config, client ? client.mapped() : std::string(), specs);
  for (plugin::PluginSpec& spec : specs) spec.allow_writable_by_others = config.plugins.allow_writable_by_others;
  return specs;
}

std::vector<plugin::PluginSpec> vanished(const std::vector<plugin::PluginSpec>& before,
                                         const std::vector<plugin::PluginSpec>& now) {
  std::vector<plugin::PluginSpec> gone;
  for (const plugin::PluginSpec& spec : before) {
    if (!find(now, spec.id) && !plugin::FileStamp::of(spec.library).exists()) gone.push_back(spec);
  }
  return gone;
}

}  // namespace collet::cli
