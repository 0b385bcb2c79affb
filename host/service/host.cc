#include "service/host.h"

#include <unistd.h>

#include "base/log.h"
#include "loop/standard_streams.h"
#include "service/plugin_specs.h"
#include "worker/host/worker_image.h"

namespace collet::service {
namespace {

// As [plugins] cgroup says; null if there are none, and why, where the configuration names a folder for them.
// A group that is to be divided may have no process in it but this one, so that the trials' is given up for it.
std::shared_ptr<worker::ControlGroups> open_groups(const std::string& wanted, std::unique_ptr<plugin::TrialParent>& trials,
                                                   std::string& why_not) {
  const std::string folder = wanted == "auto" ? worker::ControlGroups::delegated() : wanted == "off" ? "" : wanted;
  if (folder.empty()) return nullptr;
  trials.reset();
  auto groups = worker::ControlGroups::below(folder);
  if (groups) {
    if (const std::string_view missing = (*groups)->missing(); !missing.empty() && wanted != "auto")
      why_not = fmt::format("{} in control groups", missing);
    return std::move(*groups);
  }
  log::warning("workers have no control groups: {}", groups.message());
  if (wanted != "auto") why_not = fmt::format("control groups ({})", groups.message());
  return nullptr;
}

}  // namespace

Result<std::unique_ptr<store::Store>> open_store(const config::Config& config) { return store::open_store(config.store.file); }

Host::Host(const config::Config& config, unsigned loops, std::vector<registry::StateSealer::Key> state_keys,
           std::unique_ptr<store::Store> store, std::unique_ptr<plugin::TrialParent> trials)
    : unload_timeout_ms(config.server.limits.drain_timeout_ms),
      config_(config),
      loops_([loops] {
        std::vector<std::unique_ptr<loop::Loop>> made;
        for (unsigned i = 0; i < loops; ++i) made.push_back(std::make_unique<loop::Loop>());
        return made;
      }()),
      registry_(config.server.limits.tool_name_bytes_max,
                static_cast<std::int64_t>(config.server.limits.schema_steps_max)),
      groups_(open_groups(config.plugins.cgroup, trials, no_groups_)),
      store_(store ? std::move(store) : store::memory_store()),
      loader_(this->loops(), registry_,
              {.preflight_timeout_ms = config.plugins.create_timeout_ms,
               .create_timeout_ms = config.plugins.create_timeout_ms,
               .state_keys = std::move(state_keys),
               .fetch = {.user_agent = "collet/" COLLET_VERSION, .ca_file = config.fetch.ca},
               .debug = config.plugins.debug,
               .records = &store_->records(),
               .streams = &store_->streams(),
               .make_worker = [this](plugin::WorkerOrder order) -> std::unique_ptr<plugin::Image> {
                 worker::WorkerOptions options;
                 options.start_timeout_ms = config_.plugins.create_timeout_ms;
                 options.log_level = static_cast<int>(config_.log.level);
                 options.groups = groups_;
                 options.unenforced = no_groups_;
                 options.debug = config_.plugins.debug;
                 return std::make_unique<worker::WorkerImage>(std::move(order), std::move(options));
               },
               .resource_updated =
                   [this](std::string_view, std::string_view uri) {
                     if (resource_updated_) resource_updated_(uri);
                   },
               .status_changed =
                   [this] {
                     const std::lock_guard lock(heard_mutex_);
                     if (status_changed_) status_changed_();
                   },
               .given_up =
                   [this](std::string plugin, std::uint64_t generation) {
                     const std::lock_guard lock(heard_mutex_);
                     if (given_up_) given_up_(std::move(plugin), generation);
                   }},
              std::move(trials)) {}

Host::~Host() { end_or_leave(); }

void Host::end_or_leave() {
  registry_.publish_to(nullptr);  // the loops have ended
  const std::vector<std::string> left = end();
  if (left.empty()) return;
  for (const std::string& what : left) log::warning("{}", what);
  leave();
}

std::vector<std::string> Host::end() {
  std::vector<std::string> left = loader_.shutdown(unload_timeout_ms, plugin::Loader::Loops::ended);
  if (left.empty()) store_.reset();  // what was asked of it is done: before those are gone who have asked
  return left;
}

void Host::leave() const {
  loader_.remove_copies();
  _exit(exit_code);
}

std::vector<loop::Loop*> Host::loops() const {
  std::vector<loop::Loop*> all;
  for (const auto& loop : loops_) all.push_back(loop.get());
  return all;
}

void Host::load() {
  specs_ = plugin_specs(config_);
  if (specs_.empty()) log::warning("nothing is offered: the configuration names no plugin and no remote");
  reports_ = loader_.load(specs_);
  loop::fill_standard_descriptors();  // in case a create() has closed one
  for (const plugin::LoadReport& report : reports_) {
    if (!report.ok()) {
      log::write_lines(log::Level::error, fmt::format("plugin {} ({}) is not served: ", report.id, report.library), report.error);
    }
    for (const std::string& warning : report.warnings) log::warning("plugin {}: {}", report.id, warning);
  }
}

}  // namespace collet::service
