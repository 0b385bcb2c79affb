#include "service/reloader.h"

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "loop/standard_streams.h"
#include "service/listing.h"
#include "service/plugin_specs.h"

namespace collet::service {
namespace {

constexpr std::uint64_t kTryAgainMs = 1'000;  // for a plugin that is busy

}  // namespace

bool ReloadOutcome::ok() const {
  return error.empty() &&
         std::all_of(reports.begin(), reports.end(), [](const auto& report) { return report.ok(); });
}

Reloader::Reloader(Host& host, config::Config config, std::string file, ReadConfig read_config)
    : host_(host),
      file_(file.empty() ? file : std::filesystem::absolute(file).lexically_normal().string()),
      read_config_(std::move(read_config)),
      config_(std::move(config)),
      config_stamp_(plugin::FileStamp::of(file_)),
      specs_(host.specs()),
      again_(host.main_loop()),
      work_("reload") {
  host_.on_given_up([this](std::string plugin, std::uint64_t generation) {
    work_.run([this, plugin = std::move(plugin), generation] { roll_back(plugin, generation); });
  });
  if (config_.plugins.reload != config::Reload::watch) return;
  watch_.emplace(host.main_loop(), [this] { note_files(); });
  const Watched watched = this->watched();
  watch_->watch(watched.folders, watched.files);
}

Reloader::~Reloader() {
  host_.on_given_up({});
  if (work_.wait_until(plugin::Clock::now() + std::chrono::milliseconds(host_.unload_timeout_ms))) return;
  log::warning("a plugin was being replaced, and that does not end");
  host_.leave();
}

void Reloader::reload_all(Done done, plugin::ItemsMay items_may) {
  work_.run([this, done = std::move(done), items_may]() mutable {
    const ReloadOutcome outcome = take_over(true, items_may);
    tell(outcome);
    if (done) done(outcome);
  });
}

void Reloader::reload(std::string plugin, Done done, plugin::ItemsMay items_may) {
  work_.run([this, plugin = std::move(plugin), done = std::move(done), items_may]() mutable {
    ReloadOutcome outcome;
    outcome.reports.push_back(host_.loader().reload(plugin, items_may));
    tell(outcome);
    if (done) done(outcome);
  });
}

void Reloader::note_files() {
  work_.run([this] { tell(take_over(false)); });
}

void Reloader::roll_back(const std::string& plugin, std::uint64_t generation) {
  ReloadOutcome outcome;
  outcome.reports = host_.loader().roll_back(plugin, generation);
  tell(outcome);
}

// A file that only stood in a folder and is gone takes its plugin with it if somebody asks; not while a linker is
// between removing the old one and writing the new one.
ReloadOutcome Reloader::take_over(bool asked, plugin::ItemsMay items_may) {
  ReloadOutcome outcome;
  if (asked && renew_) {
    if (const auto renewed = renew_(); !renewed) log::error("{}; what there was stays in use", renewed.message());
  }
  if (auto read = read_anew(asked); !read) {
    outcome.error = read.message();
    return outcome;
  }
  std::vector<plugin::PluginSpec> specs = plugin_specs(config_, specs_);
  if (!asked) keep_vanished(specs_, specs);
  specs_ = specs;
  if (watch_) {
    host_.main_loop().post([this, watched = watched()] { watch_->watch(watched.folders, watched.files); });
  }
  outcome.reports = host_.loader().apply(std::move(specs), asked, items_may);
  return outcome;
}

// The configuration in force is the last one that was good.
Result<void> Reloader::read_anew(bool asked) {
  if (file_.empty()) return {};
  const plugin::FileStamp stamp = plugin::FileStamp::of(file_);
  if (!asked && (stamp == config_stamp_ || !stamp.exists())) return {};
  config_stamp_ = stamp;
  auto config = read_config_();
  if (!config) return config.failure();
  if (config->server != config_.server || config->view != config_.view || config->admin != config_.admin ||
      config->log != config_.log || config->fetch != config_.fetch || config->store != config_.store ||
      config->plugins.reload != config_.plugins.reload || config->plugins.create_timeout_ms != config_.plugins.create_timeout_ms) {
    log::warning(
        "{}: what has changed in [server], [view], [admin], [log], [fetch], [store], plugins.reload and "
        "plugins.create_timeout_ms takes effect at the next start",
        file_);
  }
  config->server = config_.server;
  config->view = config_.view;
  config->admin = config_.admin;
  config->log = config_.log;
  config->fetch = config_.fetch;
  config->store = config_.store;
  config->plugins.reload = config_.plugins.reload;
  config->plugins.create_timeout_ms = config_.plugins.create_timeout_ms;
  config_ = std::move(*config);
  return {};
}

Reloader::Watched Reloader::watched() const {
  Watched watched;
  watched.folders.insert(config_.plugins.paths.begin(), config_.plugins.paths.end());
  for (const plugin::PluginSpec& spec : specs_) watched.files.insert(spec.library);
  if (!file_.empty()) watched.files.insert(file_);
  return watched;
}

void Reloader::tell(const ReloadOutcome& outcome) {
  loop::fill_standard_descriptors();  // in case a create() or destroy() has closed one
  if (!outcome.error.empty()) log::write_lines(log::Level::error, "the configuration is not taken over: ", outcome.error);
  for (const plugin::LoadReport& report : outcome.reports) {
    if (!report.ok()) log::write_lines(log::Level::error, fmt::format("plugin {} is not replaced: ", report.id), report.error);
    if (report.ok() && report.done != plugin::LoadReport::Done::replaced) {
      log::info("plugin {}: {}", report.id, done_name(report.done));
    }
    if (report.ok() && !report.changes.empty()) log::info("plugin {}: {}", report.id, report.changes.to_text());
    for (const std::string& warning : report.warnings) log::warning("plugin {}: {}", report.id, warning);
    if (report.busy) try_again_later();
  }
}

void Reloader::try_again_later() {
  host_.main_loop().post([this] { again_.start(kTryAgainMs, [this] { note_files(); }); });
}

}  // namespace collet::service
