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
#include "cli/plugin_specs.h"
#include "config/config.h"
#include "foreign/remote.h"
#include "loop/standard_streams.h"
#include "worker/worker_image.h"

namespace collet::cli {
namespace {

namespace fs = std::filesystem;

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

fs::path default_plugin_folder() {
  const fs::path program = program_file();
  const fs::path built = program.parent_path().parent_path() / "plugins";
  if (fs::is_directory(built)) return built;
  return program.parent_path().parent_path() / COLLET_PLUGIN_FOLDER;
}

int complain(const std::string& message, int exit_code) {
  std::fprintf(stderr, "collet: %s\n", message.c_str());
  return exit_code;
}

std::string program_file() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored);
}

Result<config::Config> read_config(const CommonOptions& options) {
  if (!options.config_file.empty()) return config::load(options.config_file);
  return config::Config::defaults(default_plugin_folder());
}

Result<config::Config> load_config(const CommonOptions& options) {
  if (options.name_server()) {
    config::Config config = only_remote(options);
    log::configure(config.log.level, config.log.format);
    return config;
  }
  auto config = read_config(options);
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
      loader_(this->loops(), registry_,
              {.make_worker = [this](plugin::WorkerOrder order) -> std::unique_ptr<plugin::Image> {
                 worker::WorkerOptions options;
                 options.log_level = static_cast<int>(config_.log.level);
                 options.log_format = static_cast<int>(config_.log.format);
                 return std::make_unique<worker::WorkerImage>(std::move(order), std::move(options));
               },
               .resource_updated =
                   [this](std::string_view, std::string_view uri) {
                     if (resource_updated_) resource_updated_(uri);
                   },
               .given_up =
                   [this](std::string plugin, std::uint64_t generation) {
                     const std::lock_guard lock(given_up_mutex_);
                     if (given_up_) given_up_(std::move(plugin), generation);
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
  specs_ = plugin_specs(config_);
  reports_ = loader_.load(specs_);
  loop::fill_standard_descriptors();  // in case a create() has closed one
  for (const plugin::LoadReport& report : reports_) {
    if (!report.ok()) log::error("plugin {} ({}) is not served: {}", report.id, report.library, report.error);
    for (const std::string& warning : report.warnings) log::warning("plugin {}: {}", report.id, warning);
  }
}

Result<void> Host::await_remotes(const CommonOptions& options) const {
  constexpr auto kBetween = std::chrono::milliseconds(5);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(limits::kRemotesReadyMs);
  json::Document health;
  for (; std::chrono::steady_clock::now() < end; std::this_thread::sleep_for(kBetween)) {
    const std::string text = remotes_status();
    if (text.empty() || json::parse(text, health)) return {};
    const json::Value* pending = json::find(health, "pending");
    if (!pending || !pending->IsTrue()) break;
  }
  const json::Value* remotes = json::find(health, "remotes");
  if (!options.name_server() || !remotes || !remotes->IsArray() || remotes->Empty()) return {};
  const json::Value& remote = (*remotes)[0];
  if (json::find_string(remote, "state") == "up") return {};
  return error("{} cannot be reached: {}", options.url.empty() ? options.command : options.url,
               foreign::printable(json::find_string(remote, "problem").value_or("it does not answer")));
}

}  // namespace collet::cli
