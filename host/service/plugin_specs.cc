#include "service/plugin_specs.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/log.h"
#include "base/text.h"
#include "plugin/load/elf_glance.h"
#include "plugin/replace/loader.h"
#include "service/keeper.h"
#include "service/program.h"

namespace collet::service {
namespace {

namespace fs = std::filesystem;

plugin::PluginSpec spec_of(const config::Plugin& plugin, std::string library) {
  plugin::PluginSpec spec;
  spec.id = plugin.id;
  spec.library = std::move(library);
  spec.config = plugin.config;
  spec.config_places = plugin.config_places;
  spec.rules = plugin.names;
  spec.calls.inline_allowed = plugin.inline_calls;
  spec.calls.timeout_ms = plugin.timeout_ms;
  spec.calls.item_timeouts_ms = plugin.tool_timeouts;
  spec.placement = plugin.placement;
  spec.permissions = plugin.permissions;
  spec.drain_timeout_ms = plugin.drain_timeout_ms;
  return spec;
}

// What the plugin that imports from remotes is given; see collet/ext/draft/remotes.h.
std::string importer_config(const config::Config& config) {
  std::string remotes;
  for (const config::Remote& remote : config.remote) remotes += (remotes.empty() ? "" : ",") + remote.json;
  return fmt::format(R"({{"remotes":[{}],"name_bytes_max":{},"version":"{}","used_by":"{}",)"
                     R"("keeper":["/proc/self/exe","{}"],"remembers":{}}})",
                     remotes, config.server.limits.tool_name_bytes_max, COLLET_VERSION, config.remotes_used_by, kKeepVerb,
                     !config.store.file.empty());
}

plugin::PluginSpec spec_of_file(const config::Config& config, const std::string& library) {
  config::Plugin plugin;
  plugin.id = fs::path(library).stem();
  plugin.config_places = ConfigPlaces(fmt::format("plugin.{}.config", text::bare_or_quoted(plugin.id)));
  plugin.timeout_ms = config.plugins.timeout_ms;
  return spec_of(plugin, library);
}

const plugin::PluginSpec* find(const std::vector<plugin::PluginSpec>& specs, const std::string& id) {
  const auto found = std::find_if(specs.begin(), specs.end(), [&](const auto& spec) { return spec.id == id; });
  return found == specs.end() ? nullptr : &*found;
}

// The one that came with this program.
plugin::PluginSpec our_importer(const config::Config& config, const std::vector<plugin::PluginSpec>& others) {
  std::string library = default_plugin_folder() / "client.so";  // if it is not there the loader says so
  for (const auto& file : plugin::discover({default_plugin_folder()})) {
    if (!file || !plugin::imports_remotes(*file)) continue;
    library = *file;
    break;
  }
  plugin::PluginSpec spec = spec_of_file(config, library);
  while (find(others, spec.id)) spec.id += "_remotes";  // which is another plugin's
  return spec;
}

// What was one is one while its file is being written.
bool is_importer(const plugin::PluginSpec& spec, const std::vector<plugin::PluginSpec>& before) {
  if (plugin::imports_remotes(spec.library)) return true;
  const plugin::PluginSpec* known = find(before, spec.id);
  return known && known->imports_remotes && known->library == spec.library &&
         (!plugin::FileStamp::of(spec.library).exists() || plugin::is_cut_off(spec.library));
}

// Of the plugins that import from remotes one is loaded, if there are remotes, or if it is one of the `configured` ones, which are
// the first.
void choose_importer(const config::Config& config, const std::vector<plugin::PluginSpec>& before, std::size_t configured,
                     std::vector<plugin::PluginSpec>& specs) {
  std::optional<plugin::PluginSpec> chosen;
  bool has_table = false;
  std::size_t at = 0;
  std::erase_if(specs, [&](plugin::PluginSpec& spec) {
    const bool is_configured = at++ < configured;
    if (!is_importer(spec, before)) return false;
    if (chosen) {
      log::info("plugin {} is left alone: {} imports from remotes", spec.id, chosen->id);
    } else {
      chosen = std::move(spec);
      has_table = is_configured;
    }
    return true;
  });
  if (config.remote.empty() && !has_table) return;
  if (!chosen) chosen = our_importer(config, specs);
  chosen->config = importer_config(config);
  chosen->config_places = {};  // of no file
  chosen->imports_remotes = true;
  if (config.remotes_used_by == "login") specs.clear();  // nobody else is needed
  specs.push_back(*std::move(chosen));
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
  const std::size_t configured = specs.size();
  for (const auto& [id, library] : in_folders) {
    if (!find(before, id) && plugin::is_other_library(library)) {
      log::info("{} is no plugin, as it does not export collet_plugin_entry_v1: it is left alone", library);
      continue;
    }
    specs.push_back(spec_of_file(config, library));
  }
  choose_importer(config, before, configured, specs);
  for (plugin::PluginSpec& spec : specs) spec.allow_writable_by_others = config.plugins.allow_writable_by_others;
  return specs;
}

void keep_vanished(const std::vector<plugin::PluginSpec>& before, std::vector<plugin::PluginSpec>& now) {
  for (const plugin::PluginSpec& spec : before) {
    if (find(now, spec.id) || plugin::FileStamp::of(spec.library).exists()) continue;
    plugin::PluginSpec kept = spec;
    if (kept.imports_remotes) {  // another one would be a second
      const auto instead = std::find_if(now.begin(), now.end(), [](const auto& other) { return other.imports_remotes; });
      if (instead == now.end()) continue;
      kept.config = instead->config;
      now.erase(instead);
    }
    now.push_back(std::move(kept));
  }
}

}  // namespace collet::service
