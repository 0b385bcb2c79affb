// What everything that runs plugins needs: the configuration, loops, registry and loaded plugins.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "loop/loop.h"
#include "plugin/replace/loader.h"
#include "registry/registry.h"
#include "registry/sealed_state.h"
#include "store/open_store.h"
#include "worker/walls/control_group.h"

namespace collet::service {

// Constructed before the loops run, destroyed after they have ended. The destructor ends all plugins; one that does
// not end in time is named in the log, and the process is left at once, since its code may still run.
class Host {
 public:
  // States of suspended calls are sealed with these keys (registry::StateSealer). Null: what plugins keep is in memory.
  // `trials` is where plugins are tried first; null: a process is started for that.
  Host(const config::Config& config, unsigned loops, std::vector<registry::StateSealer::Key> state_keys = {},
       std::unique_ptr<store::Store> store = nullptr, std::unique_ptr<plugin::TrialParent> trials = nullptr);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Loads what the configuration names and logs what could not be loaded.
  void load();
  // Any thread: how many plugins that should serve do not.
  std::size_t count_missing_plugins() const { return loader_.count_missing(); }
  // Any thread: what the plugin that imports from remotes says of them, as collet/ext/draft/remotes.h has it; empty if no such plugin
  // serves.
  std::string remotes_status() const { return loader_.health(loader_.importer()); }

  // Before plugins have ended. Where sessions and tasks may be kept; null: what there is ends with this process.
  store::Records* lasting_records() { return store_->lasts() ? &store_->records() : nullptr; }

  std::vector<loop::Loop*> loops() const;
  loop::Loop& main_loop() { return *loops_.front(); }
  registry::Registry& registry() { return registry_; }
  plugin::Loader& loader() { return loader_; }
  // Before load(): called, on any thread, when a plugin says that what is read at a URI has changed.
  void on_resource_updated(std::function<void(std::string_view uri)> callback) {
    resource_updated_ = std::move(callback);
  }
  // Any thread, both: called, on any thread, when what a plugin says of its health has changed, and when its generation on
  // probation is to be taken back. Must not block. When this has returned what was set before is called no more.
  void on_status_changed(std::function<void()> callback) {
    const std::lock_guard lock(heard_mutex_);
    status_changed_ = std::move(callback);
  }
  using GivenUp = std::function<void(std::string plugin, std::uint64_t generation)>;
  void on_given_up(GivenUp callback) {
    const std::lock_guard lock(heard_mutex_);
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
  const config::Config& config_;
  std::vector<std::unique_ptr<loop::Loop>> loops_;
  registry::Registry registry_;
  std::function<void(std::string_view uri)> resource_updated_;
  std::mutex heard_mutex_;  // guards both below
  std::function<void()> status_changed_;
  GivenUp given_up_;
  std::string no_groups_;  // why workers have no control groups, though they are to; or empty
  std::shared_ptr<worker::ControlGroups> groups_;
  std::unique_ptr<store::Store> store_;  // null once plugins have ended
  plugin::Loader loader_;
  std::vector<plugin::PluginSpec> specs_;
  std::vector<plugin::LoadReport> reports_;
};

// As [store] says. The verbs that run tools open it; the others do without, as they may run beside them.
Result<std::unique_ptr<store::Store>> open_store(const config::Config& config);

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

}  // namespace collet::service
