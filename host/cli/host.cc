#include "cli/host.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "loop/standard_streams.h"

namespace collet::cli {
namespace {

namespace fs = std::filesystem;

// Beside the program in a build folder, or where an installation has them.
fs::path default_plugin_folder() {
  const fs::path program = program_file();
  const fs::path built = program.parent_path().parent_path() / "plugins";
  if (fs::is_directory(built)) return built;
  return program.parent_path().parent_path() / COLLET_PLUGIN_FOLDER;
}

plugin::PluginSpec spec_of(const config::Plugin& plugin, std::string library) {
  plugin::PluginSpec spec;
  spec.id = plugin.id;
  spec.library = std::move(library);
  spec.config = plugin.config;
  spec.rules = plugin.names;
  spec.calls.inline_allowed = plugin.inline_calls;
  spec.calls.timeout_ms = plugin.timeout_ms;
  spec.calls.item_timeouts_ms = plugin.tool_timeouts;
  return spec;
}

// The plugin that imports from other servers. It is loaded where there is one to import from.
constexpr const char* kClient = "client";

std::string client_config(const config::Config& config) {
  std::string remotes;
  for (const config::Remote& remote : config.remote) remotes += (remotes.empty() ? "" : ",") + remote.json;
  return fmt::format(R"({{"remotes":[{}],"name_bytes_max":{},"version":"{}"}})", remotes,
                     config.server.limits.tool_name_bytes_max, COLLET_VERSION);
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

// The plugins in the order of the file, then those of the folders that it does not mention. The first file of a
// name counts.
std::vector<plugin::PluginSpec> specs_of(const config::Config& config) {
  std::vector<plugin::PluginSpec> specs;
  std::map<std::string, std::string> found;
  for (const auto& file : plugin::discover(config.plugins.paths)) {
    if (file) {
      found.emplace(fs::path(*file).stem(), *file);
    } else {
      log::warning("{}", file.message());
    }
  }
  for (const config::Plugin& plugin : config.plugin) {
    const auto in_folder = found.find(plugin.id);
    std::string library = plugin.library;
    if (library.empty() && in_folder != found.end()) library = in_folder->second;
    if (in_folder != found.end()) found.erase(in_folder);
    if (!plugin.enabled) continue;
    if (library.empty()) {
      log::error("plugin {}: there is no {}.so in the folders of plugins.paths, and no `library` is set", plugin.id,
                 plugin.id);
      continue;
    }
    specs.push_back(spec_of(plugin, std::move(library)));
  }
  auto client = found.extract(kClient);
  for (const auto& [id, library] : found) {
    config::Plugin plugin;
    plugin.id = id;
    plugin.timeout_ms = config.plugins.timeout_ms;
    specs.push_back(spec_of(plugin, library));
  }
  if (!config.remote.empty()) add_client(config, client ? client.mapped() : std::string(), specs);
  return specs;
}

// No plugins, and one remote whose items keep their names.
config::Config only_remote(const CommonOptions& options) {
  const bool by_url = options.command.empty();
  std::string json = by_url ? R"({"name":"remote","prefix":"","url":)"
                            : R"({"name":"remote","prefix":"","command":"/bin/sh","args":["-c",)";
  text::append_json_string(json, by_url ? options.url : "exec " + options.command);
  config::Config config;
  config.log.level = log::Level::warning;
  config.remote.push_back({"remote", json + (by_url ? "}" : "]}"), {}});
  return config;
}

}  // namespace

int complain(const std::string& message, int exit_code) {
  std::fprintf(stderr, "collet: %s\n", message.c_str());
  return exit_code;
}

std::string program_file() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored);
}

Result<config::Config> load_config(const CommonOptions& options) {
  if (!options.url.empty() || !options.command.empty()) {
    config::Config config = only_remote(options);
    log::configure(config.log.level, config.log.format);
    return config;
  }
  auto config = options.config_file.empty()
                    ? Result<config::Config>(config::Config::defaults(default_plugin_folder()))
                    : config::load(options.config_file);
  if (config) log::configure(config->log.level, config->log.format);
  return config;
}

Host::Host(const config::Config& config, unsigned loops)
    : unload_timeout_ms(config.server.limits.drain_timeout_ms),
      config_(config),
      loops_([loops] {
        std::vector<std::unique_ptr<loop::Loop>> made;
        for (unsigned i = 0; i < loops; ++i) made.push_back(std::make_unique<loop::Loop>());
        return made;
      }()),
      registry_(config.server.limits.tool_name_bytes_max),
      loader_(this->loops(), registry_, {.resource_updated = [this](std::string_view, std::string_view uri) {
                if (resource_updated_) resource_updated_(uri);
              }}) {}

Host::~Host() {
  const std::vector<std::string> left = loader_.shutdown(unload_timeout_ms, plugin::Loader::Loops::ended);
  if (left.empty()) return;
  for (const std::string& what : left) log::warning("{}", what);
  _exit(exit_code);
}

std::vector<loop::Loop*> Host::loops() const {
  std::vector<loop::Loop*> all;
  for (const auto& loop : loops_) all.push_back(loop.get());
  return all;
}

void Host::load() {
  reports_ = loader_.load(specs_of(config_));
  loop::fill_standard_descriptors();  // in case a create() has closed one
  for (const plugin::LoadReport& report : reports_) {
    if (!report.ok()) log::error("plugin {} ({}) is not served: {}", report.id, report.library, report.error);
    for (const std::string& warning : report.warnings) log::warning("plugin {}: {}", report.id, warning);
  }
}

void Host::await_remotes() const {
  constexpr auto kBetween = std::chrono::milliseconds(5);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(limits::kRemotesReadyMs);
  for (; std::chrono::steady_clock::now() < end; std::this_thread::sleep_for(kBetween)) {
    json::Document health;
    const std::string text = remotes_status();
    if (text.empty() || json::parse(text, health)) return;
    const json::Value* pending = json::find(health, "pending");
    if (!pending || !pending->IsTrue()) return;
  }
}

}  // namespace collet::cli
