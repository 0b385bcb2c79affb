#include "plugin/replace/loader.h"

#include <algorithm>
#include <filesystem>

#include "base/log.h"

namespace collet::plugin {
namespace {

using Done = LoadReport::Done;

Clock::duration milliseconds(std::uint64_t count) { return std::chrono::milliseconds(count); }

// Whether a generation that was created by one spec may go on under the other.
bool needs_no_generation(const PluginSpec& a, const PluginSpec& b) {
  return a.library == b.library && a.config == b.config && a.calls == b.calls && a.placement == b.placement &&
         a.permissions == b.permissions;
}

}  // namespace

Loader::Loader(std::vector<loop::Loop*> loops, registry::Registry& registry, LoaderOptions options)
    : loops_(std::move(loops)),
      registry_(registry),
      options_(std::move(options)),
      calls_(std::make_unique<CallTable>(loops_)),
      invocations_(std::make_unique<Invocations>(*calls_, registry, options_.state_keys)),
      fetches_(std::make_unique<FetchLanes>(*calls_, options_.fetch)),
      drain_(std::make_unique<Drain>()),
      stage_(*calls_, *invocations_, *fetches_, options_) {}

Loader::~Loader() {
  for (const std::string& left : shutdown(limits::kDrainTimeoutMs, Loops::ended)) log::warning("{}", left);
}

Loader::Plugin* Loader::find(std::string_view id) const {
  const auto found =
      std::find_if(plugins_.begin(), plugins_.end(), [&](const auto& p) { return p->wanted.id == id; });
  return found == plugins_.end() ? nullptr : found->get();
}

Patience Loader::patience(std::uint64_t drain_timeout_ms) const {
  return {milliseconds(drain_timeout_ms), milliseconds(options_.cancel_grace_ms),
          milliseconds(options_.destroy_timeout_ms)};
}

// what is to be done

std::vector<LoadReport> Loader::load(std::vector<PluginSpec> specs) {
  Candidates candidates;
  for (PluginSpec& spec : specs) {
    if (find(spec.id)) {
      Candidate& twice = *candidates.emplace_back(std::make_unique<Candidate>(std::move(spec)));
      twice.reject(fmt::format("there is another plugin with the id {}", twice.spec.id));
      continue;
    }
    registry_.declare(spec.id, spec.rules);
    auto plugin = std::make_unique<Plugin>();
    plugin->wanted = std::move(spec);
    add(candidates, *plugin, false);
    const std::lock_guard lock(mutex_);
    plugins_.push_back(std::move(plugin));
  }
  return replace(candidates);
}

std::vector<LoadReport> Loader::apply(std::vector<PluginSpec> specs, bool also_failed) {
  forget_former();
  std::vector<std::unique_ptr<Plugin>> gone;
  std::vector<registry::Declaration> declarations;
  const bool declared_so = std::equal(
      specs.begin(), specs.end(), plugins_.begin(), plugins_.end(), [](const PluginSpec& spec, const auto& plugin) {
        return spec.id == plugin->wanted.id && spec.rules == plugin->wanted.rules;
      });
  {
    const std::lock_guard lock(mutex_);
    gone = std::exchange(plugins_, {});
    for (const PluginSpec& spec : specs) {
      declarations.push_back({spec.id, spec.rules});
      const auto known =
          std::find_if(gone.begin(), gone.end(), [&](const auto& plugin) { return plugin->wanted.id == spec.id; });
      plugins_.push_back(known == gone.end() ? std::make_unique<Plugin>() : std::move(*known));
      plugins_.back()->wanted.id = spec.id;
      if (known != gone.end()) gone.erase(known);
    }
  }
  if (!declared_so) registry_.arrange(std::move(declarations));
  Candidates candidates;
  std::vector<LoadReport> reports;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    LoadReport report;
    if (!adjust(*plugins_[i], specs[i], also_failed, report)) {
      add(candidates, *plugins_[i], true);
    } else if (report.done != Done::unchanged) {
      reports.push_back(std::move(report));
    }
  }
  for (LoadReport& report : replace(candidates)) reports.push_back(std::move(report));
  if (!declared_so) retire_all(std::move(gone), reports);
  return reports;
}

LoadReport Loader::reload(const std::string& id) {
  forget_former();
  Plugin* plugin = find(id);
  if (!plugin) {
    LoadReport report;
    report.id = id;
    report.done = Done::failed;
    report.error = fmt::format("there is no plugin {}", id);
    return report;
  }
  Candidates candidates;
  add(candidates, *plugin, false);
  return replace(candidates).front();
}

std::vector<LoadReport> Loader::roll_back(const std::string& id, std::uint64_t generation) {
  forget_former();
  Plugin* plugin = find(id);
  if (!plugin || !plugin->former || !plugin->current || plugin->current->number() != generation) return {};
  const Former former = std::move(*std::exchange(plugin->former, std::nullopt));
  Candidates candidates;
  Candidate& back = *candidates.emplace_back(std::make_unique<Candidate>(former.spec));
  back.file_to_load = former.file.path();
  back.number = ++plugin->generations;
  back.careful = false;
  back.returns = true;
  std::vector<LoadReport> reports = replace(candidates);
  const std::lock_guard lock(mutex_);
  const std::string why = fmt::format("generation {} has made {} errors of its own within {} ms", generation,
                                      limits::kProbationErrorsMax, options_.probation_ms);
  plugin->problem = reports.front().ok()
                        ? fmt::format("{}, and the one before was brought back", why)
                        : fmt::format("{}, and the one before does not come back: {}", why, reports.front().error);
  reports.front().error = plugin->problem;
  return reports;
}

// A candidate for what the plugin is wanted to be.
void Loader::add(Candidates& candidates, Plugin& plugin, bool unless_same) {
  Candidate& candidate = *candidates.emplace_back(std::make_unique<Candidate>(plugin.wanted));
  candidate.number = ++plugin.generations;
  if (drain_->draining_of(plugin.wanted.id) >= limits::kDrainingMax) {
    candidate.report.busy = true;
    return candidate.reject(fmt::format(
        "{} generations of it wait for their calls to end: set a shorter drain_timeout_ms", limits::kDrainingMax));
  }
  if (drain_->left_behind_of(plugin.wanted.id) >= limits::kLeftBehindMax) {
    return candidate.reject(
        fmt::format("{} generations of it could not be unloaded: restart the server", limits::kLeftBehindMax));
  }
  plugin.tried = FileStamp::of(plugin.wanted.library);
  if (unless_same && plugin.current && needs_no_generation(plugin.serving, plugin.wanted)) {
    candidate.unless_same_as = plugin.current->file();
  }
}

// Whether the plugin is as wanted now without a new generation.
bool Loader::adjust(Plugin& plugin, const PluginSpec& wanted, bool also_failed, LoadReport& report) {
  report.id = wanted.id;
  report.library = wanted.library;
  const bool new_spec = !needs_no_generation(plugin.wanted, wanted);
  const auto take = [&](PluginSpec& to) {
    const std::lock_guard lock(mutex_);
    to = wanted;
  };
  take(plugin.wanted);
  const FileStamp now = FileStamp::of(wanted.library);
  if (now.exists() && now != plugin.tried) return false;
  if (!plugin.problem.empty() || !plugin.current) {
    report.done = Done::unchanged;
    return !new_spec && !also_failed;
  }
  report.generation = plugin.current->number();
  report.done = plugin.serving == wanted ? Done::unchanged : Done::adjusted;
  if (new_spec) {
    PluginSpec but_for_config = plugin.serving;
    but_for_config.config = wanted.config;
    const auto deadline = Clock::now() + milliseconds(options_.create_timeout_ms);
    if (!needs_no_generation(but_for_config, wanted) || !plugin.current->reconfigure(wanted.config, deadline)) {
      return false;
    }
    report.done = Done::reconfigured;
  }
  take(plugin.serving);
  if (report.done != Done::unchanged) report.warnings = idle_rules(wanted, plugin.current->items());
  return true;
}

// Takes those out that are no longer declared; what was declared otherwise is seen from now on.
void Loader::retire_all(std::vector<std::unique_ptr<Plugin>> gone, std::vector<LoadReport>& reports) {
  const Adoption adoption;
  for (const auto& plugin : gone) {
    if (plugin->current) plugin->current->expect_end();
  }
  static_cast<void>(registry_.replace({}, [adoption] { adoption.arrive(); }));
  for (auto& plugin : gone) {
    LoadReport& report = reports.emplace_back();
    report.id = plugin->wanted.id;
    report.library = plugin->wanted.library;
    report.done = Done::removed;
    if (plugin->current) {
      drain_->add(std::move(plugin->current), adoption, patience(plugin->serving.drain_timeout_ms));
    }
  }
}

void Loader::forget_former() {
  for (const auto& plugin : plugins_) {
    if (!plugin->former || Clock::now() < plugin->former->until) continue;
    plugin->former.reset();
    if (plugin->current) plugin->current->end_probation();
  }
  std::erase_if(parkings_, [](const auto& parking) { return parking->idle(); });
}

// how it is done

std::vector<LoadReport> Loader::replace(Candidates& candidates) {
  std::vector<Candidate*> all;
  for (const auto& candidate : candidates) all.push_back(candidate.get());
  std::erase_if(all, [](const Candidate* candidate) { return !candidate->ok(); });
  stage_.check(all);
  std::vector<Candidate*> exclusive;
  std::vector<Candidate*> others;
  for (Candidate* candidate : all) {
    const Plugin& plugin = *find(candidate->spec.id);
    (plugin.current && plugin.current->exclusive() ? exclusive : others).push_back(candidate);
  }
  for (Candidate* candidate : others) save_state(*candidate);
  open(others);
  publish(others);
  for (Candidate* candidate : exclusive) {
    if (candidate->ok()) replace_exclusive(*candidate);
  }
  std::vector<LoadReport> reports;
  for (const auto& candidate : candidates) {
    note(*candidate);
    if (candidate->report.done != Done::unchanged) reports.push_back(std::move(candidate->report));
  }
  return reports;
}

void Loader::note(const Candidate& candidate) {
  if (candidate.number == 0) return;  // it was none of the plugins
  const std::lock_guard lock(mutex_);
  if (Plugin* plugin = find(candidate.spec.id)) plugin->problem = candidate.report.error;
}

void Loader::save_state(Candidate& candidate) {
  const Plugin& plugin = *find(candidate.spec.id);
  if (!candidate.ok() || !plugin.current) return;
  auto saved = plugin.current->save_state(Clock::now() + milliseconds(options_.save_timeout_ms));
  if (saved) {
    candidate.prior = std::move(*saved);
  } else {
    candidate.reject(saved.message());
  }
}

void Loader::open(std::vector<Candidate*> candidates) {
  stage_.open(std::move(candidates), [this](std::unique_ptr<Generation> stuck, std::string reason) {
    drain_->leave(std::move(stuck), std::move(reason));
  });
}

Items::Publish Loader::publisher(Generation& generation) {
  return [this, &generation](std::vector<registry::ItemDef> items, Callback<void()> adopted) {
    registry_.replace(generation.name(), &generation, std::move(items), std::move(adopted));
  };
}

// Puts the generations into the registry in one step, and those that they replace on their way out. Neither may
// change its items meanwhile.
void Loader::publish(std::vector<Candidate*> candidates) {
  for (Candidate* candidate : candidates) {
    const Plugin& plugin = *find(candidate->spec.id);
    if (!candidate->ok() || !plugin.current || !candidate->careful) continue;
    const std::string problem = candidate->generation->item_problem();
    if (!problem.empty() && problem != plugin.current->item_problem()) discard(*candidate, problem);
  }
  std::erase_if(candidates, [](const Candidate* candidate) { return !candidate->ok(); });
  if (candidates.empty()) return;

  std::vector<registry::Change> changes;
  std::vector<Items::Pause> pauses;
  std::vector<Items::Pause> old_pauses;
  for (const Candidate* candidate : candidates) {
    Generation& generation = *candidate->generation;
    pauses.push_back(generation.items().pause());
    Generation* old = find(candidate->spec.id)->current.get();
    changes.push_back({candidate->spec.id, &generation,
                       registry_.examine(generation.items().current(pauses.back())), old && candidate->careful});
  }
  for (const Candidate* candidate : candidates) {
    Generation* old = find(candidate->spec.id)->current.get();
    old_pauses.push_back(old ? old->items().pause() : Items::Pause());
    if (old) old->expect_end();
  }
  const Adoption adoption;
  const auto results = registry_.replace(std::move(changes), [adoption] { adoption.arrive(); });
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    Generation& generation = *candidates[i]->generation;
    Generation* old = find(candidates[i]->spec.id)->current.get();
    if (results[i]) generation.items().publish_by(pauses[i], publisher(generation));
    if (old && results[i]) old->items().close(old_pauses[i]);
    if (old && !results[i]) old->expect_no_end();
  }
  pauses.clear();
  old_pauses.clear();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (results[i]) {
      install(*candidates[i], adoption);
    } else {
      discard(*candidates[i], results[i].message());
    }
  }
}

// What has been published serves from now on.
void Loader::install(Candidate& candidate, const Adoption& adoption) {
  Plugin& plugin = *find(candidate.spec.id);
  Generation& generation = *candidate.generation;
  if (generation.has_nonblocking_items() && !generation.runs_inline()) {
    log::info("plugin {}: its NONBLOCKING items run on an executor, because {}", candidate.spec.id,
              generation.inline_obstacle());
  }
  std::optional<Former> former;
  if (plugin.current && !candidate.returns) {
    if (auto kept = stage_.keep(plugin.current->file())) {
      former = Former{plugin.serving, std::move(*kept), Clock::now() + milliseconds(options_.probation_ms)};
    } else {
      log::warning("plugin {}: {}; it cannot be taken back", candidate.spec.id, kept.message());
    }
  }
  std::unique_ptr<Generation> old;
  const std::uint64_t drain_timeout_ms = plugin.serving.drain_timeout_ms;
  {
    const std::lock_guard lock(mutex_);
    old = std::exchange(plugin.current, std::move(candidate.generation));
    plugin.serving = candidate.spec;
    plugin.former = std::move(former);
    for (const std::string& uri : watched_) plugin.current->watch(uri, true);
  }
  put_on_probation(plugin);
  candidate.report.done = old ? Done::replaced : Done::loaded;
  if (!old) return;
  log::info("plugin {}: generation {} ({} {}) has taken over from generation {}", candidate.spec.id,
            generation.number(), generation.table().id, generation.table().version, old->number());
  drain_->add(std::move(old), adoption, patience(drain_timeout_ms));
}

void Loader::put_on_probation(Plugin& plugin) {
  if (!plugin.former || !options_.given_up) return;
  plugin.current->put_on_probation(
      [this, id = plugin.serving.id, number = plugin.current->number()] { options_.given_up(id, number); });
}

// What was created will not serve.
void Loader::discard(Candidate& candidate, std::string reason) {
  candidate.reject(std::move(reason));
  const Adoption nobody_reads_it;
  nobody_reads_it.arrive();
  drain_->add(std::move(candidate.generation), nobody_reads_it, patience(0));
}

// the state of things

std::vector<PluginStatus> Loader::status() const {
  const std::lock_guard lock(mutex_);
  std::vector<PluginStatus> all;
  for (const auto& plugin : plugins_) {
    PluginStatus& status = all.emplace_back();
    status.id = plugin->wanted.id;
    status.library = plugin->wanted.library;
    status.problem = plugin->problem;
    if (!plugin->current) continue;
    const Generation& generation = *plugin->current;
    status.plugin_id = generation.table().id;
    status.version = generation.table().version;
    status.generation = generation.number();
    status.on_probation = plugin->former && Clock::now() < plugin->former->until;
    status.items = generation.item_count();
    status.calls_in_flight = generation.calls_in_flight();
    status.runs_inline = generation.runs_inline();
    status.placement = generation.in_worker() ? Placement::worker : Placement::in_process;
    status.condition = generation.condition();
  }
  return all;
}

std::size_t Loader::count_missing() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(plugins_, [](const auto& plugin) {
    return !plugin->current || plugin->current->given_up();
  }));
}

std::string Loader::health(std::string_view id) const {
  std::shared_ptr<Inquiry> inquiry;
  {
    const std::lock_guard lock(mutex_);
    const Plugin* plugin = find(id);
    if (plugin && plugin->current) inquiry = plugin->current->inquiry();
  }
  return inquiry ? inquiry->status() : std::string();
}

std::string Loader::importer() const {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(plugins_.begin(), plugins_.end(), [](const auto& plugin) { return plugin->wanted.imports_remotes; });
  return found == plugins_.end() ? std::string() : (*found)->wanted.id;
}

std::string Loader::instructions(const std::function<bool(std::string_view id)>& is_shown) const {
  const std::lock_guard lock(mutex_);
  std::string all;
  for (const auto& plugin : plugins_) {
    const bool tells = plugin->current && is_shown(plugin->wanted.id);
    const std::string text = tells ? plugin->current->instructions() : std::string();
    if (!all.empty() && !text.empty()) all += "\n\n";
    all += text;
  }
  return all;
}

void Loader::watch(std::string_view uri, bool watched) {
  const std::lock_guard lock(mutex_);
  if (watched) {
    watched_.emplace(uri);
  } else if (const auto found = watched_.find(uri); found != watched_.end()) {
    watched_.erase(found);
  }
  for (const auto& plugin : plugins_) {
    if (plugin->current) plugin->current->watch(uri, watched);
  }
}

std::vector<std::string> Loader::shutdown(std::uint64_t deadline_ms, Loops loops) {
  return shutdown(Patience::within(milliseconds(deadline_ms) * 15 / 16), loops);
}

std::vector<std::string> Loader::shutdown(const Patience& patience, Loops loops) {
  const auto deadline = Clock::now() + (patience.drain + patience.grace + patience.end) * 16 / 15;
  const Adoption adoption;
  std::vector<std::unique_ptr<Plugin>> all;
  {
    const std::lock_guard lock(mutex_);
    all = std::exchange(plugins_, {});
  }
  std::vector<registry::Change> changes;
  for (const auto& plugin : all) {
    if (plugin->current) plugin->current->expect_end();
    changes.push_back({plugin->wanted.id, nullptr, registry_.examine({})});
  }
  static_cast<void>(registry_.replace(std::move(changes), [adoption] { adoption.arrive(); }));
  drain_->hurry();
  if (loops == Loops::ended) drain_->abandon_loops();
  for (const auto& plugin : all) {
    if (plugin->current) drain_->add(std::move(plugin->current), adoption, patience);
  }
  std::vector<std::string> left = drain_->finish(deadline);
  if (!left.empty()) {
    static_cast<void>(invocations_.release());
    static_cast<void>(fetches_.release());
    static_cast<void>(calls_.release());
    for (auto& parking : parkings_) static_cast<void>(parking.release());
    if (drain_->in_use()) static_cast<void>(drain_.release());
    drain_ = std::make_unique<Drain>();
  }
  return left;
}

std::vector<Result<std::string>> discover(const std::vector<std::string>& folders) {
  std::vector<Result<std::string>> found;
  for (const std::string& folder : folders) {
    std::vector<std::string> paths;
    std::error_code failed;
    for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
      if (at->path().extension() == ".so") paths.push_back(at->path().string());
    }
    if (failed) {
      found.push_back(error("cannot list the plugin folder {}: {}", folder, failed.message()));
      continue;
    }
    std::sort(paths.begin(), paths.end());
    found.insert(found.end(), paths.begin(), paths.end());
  }
  return found;
}

}  // namespace collet::plugin
