// What every verb that runs plugins needs: the configuration, loops, registry and loaded plugins.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/output.h"
#include "config/config.h"
#include "loop/loop.h"
#include "plugin/replace/loader.h"
#include "registry/registry.h"
#include "registry/sealed_state.h"
#include "store/memory_records.h"
#include "store/memory_streams.h"
#include "worker/walls/control_group.h"

namespace collet::cli {

// What the verbs have in common.
struct CommonOptions {
  std::string config_file;                  // empty: every plugin of the folder beside the program
  bool json = false;                        // --format json
  std::string url;                          // of one MCP server that takes the place of all plugins
  std::vector<std::string> headers;         // "Name: value", of every request to it
  std::string token;                        // likewise, for Authorization: Bearer; empty: none
  std::string command;                      // likewise, of a child process: words for the shell
  std::optional<std::uint64_t> timeout_ms;  // for a server to answer; else a limit of ours

  bool name_server() const { return !url.empty() || !command.empty(); }
};

// The file's configuration or the default one.
Result<config::Config> read_config(const CommonOptions& options);
// As above, with the log set up by it.
Result<config::Config> load_config(const CommonOptions& options);

// This program's own file.
std::string program_file();
// Where plugins lie: beside the program in a build folder, or where an installation has them.
std::filesystem::path default_plugin_folder();

// Constructed before the loops run, destroyed after they have ended. The destructor ends all plugins; one that does
// not end in time is named in the log, and the process is left at once, since its code may still run.
class Host {
 public:
  // States of suspended calls are sealed with these keys (registry::StateSealer).
  Host(const config::Config& config, unsigned loops, std::vector<registry::StateSealer::Key> state_keys = {});
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Loads what the configuration names and logs what could not be loaded.
  void load();
  // As above, for a verb that ends by itself, and waits until each remote has offered what it has, or could not be
  // reached; runs the main loop. An error if that is the one server that the options name, or at an interruption.
  Result<void> load_and_await_remotes(const CommonOptions& options);
  // Any thread: how many plugins that should serve do not.
  std::size_t count_missing_plugins() const { return loader_.count_missing(); }
  // The health of the remotes, a JSON object; empty if there are none.
  std::string remotes_status() const { return loader_.health("client"); }

  std::vector<loop::Loop*> loops() const;
  loop::Loop& main_loop() { return *loops_.front(); }
  registry::Registry& registry() { return registry_; }
  plugin::Loader& loader() { return loader_; }
  // Before load(): called, on any thread, when a plugin says that what is read at a URI has changed.
  void on_resource_updated(std::function<void(std::string_view uri)> callback) {
    resource_updated_ = std::move(callback);
  }
  // Any thread: called, on any thread, when a plugin's generation on probation is to be taken back.
  using GivenUp = std::function<void(std::string plugin, std::uint64_t generation)>;
  void on_given_up(GivenUp callback) {
    const std::lock_guard lock(given_up_mutex_);
    given_up_ = std::move(callback);
  }
  // Ends all plugins, or else the process: before what listens to their calls is gone. The loops have ended.
  void end_or_leave();
  // Ends all plugins, once. What has not ended is said, in words: its code may still run, so that this object must be
  // kept and the process end by leave().
  [[nodiscard]] std::vector<std::string> end();
  // What the process is to report if the destructor has to leave it.
  int exit_code = 0;
  // Ends the process at once, while code of plugins may still run; leaves none of their copies behind.
  [[noreturn]] void leave() const;
  // How long the destructor waits for plugins to end.
  std::uint64_t unload_timeout_ms;

  // Of load(), one for each plugin, in order.
  const std::vector<plugin::LoadReport>& reports() const { return reports_; }
  const std::vector<plugin::PluginSpec>& specs() const { return specs_; }

 private:
  Result<void> await_remotes(const CommonOptions& options, const bool& interrupted);

  const config::Config& config_;
  std::vector<std::unique_ptr<loop::Loop>> loops_;
  registry::Registry registry_;
  std::function<void(std::string_view uri)> resource_updated_;
  std::mutex given_up_mutex_;
  GivenUp given_up_;  // guarded by it
  std::string no_groups_;  // why workers have no control groups, though they are to; or empty
  std::shared_ptr<worker::ControlGroups> groups_;
  store::MemoryRecords records_;
  store::MemoryStreams streams_;
  plugin::Loader loader_;
  std::vector<plugin::PluginSpec> specs_;
  std::vector<plugin::LoadReport> reports_;
};

// Ends the host's plugins when it is destroyed, which is before all that was made before it and that their calls refer to.
class EndOfPlugins {
 public:
  explicit EndOfPlugins(Host& host) : host_(host) {}
  ~EndOfPlugins() { host_.end_or_leave(); }
  EndOfPlugins(const EndOfPlugins&) = delete;
  EndOfPlugins& operator=(const EndOfPlugins&) = delete;

 private:
  Host& host_;
};

}  // namespace collet::cli
