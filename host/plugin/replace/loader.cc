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

Loader::Loader(std::vector<loop::Loop*> loops, registry::Registry& registry, LoaderOptions options,
               std::unique_ptr<TrialParent> trials)
    : registry_(registry),
      options_(std::move(options)),
      calls_(std::make_unique<CallTable>(loops)),
      invocations_(std::make_unique<Invocations>(*calls_, registry, options_.state_keys)),
      fetches_(std::make_unique<FetchLanes>(*calls_, options_.fetch)),
      drain_(std::make_unique<Drain>()),
      stage_(*calls_, *invocations_, *fetches_, options_,
             [this](std::unique_ptr<Generation> stuck, std::string reason) {
               drain_->leave(std::move(stuck), std::move(reason));
             },
             std::move(trials)),
      probation_(stage_, options_),
      publisher_(registry, roster_, probation_, *drain_, options_),
      exclusive_(std::move(loops), registry, stage_, publisher_, probation_, *drain_, options_) {}

Loader::~Loader() {
  for (const std::string& left : shutdown(limits::kDrainTimeoutMs, Loops::ended)) log::warning("{}", left);
}

std::vector<LoadReport> Loader::load(std::vector<PluginSpec> specs) {
  Candidates candidates;
  for (PluginSpec& spec : specs) {
    if (roster_.find(spec.id)) {
      Candidate& twice = *candidates.emplace_back(std::make_unique<Candidate>(std::move(spec)));
      twice.reject(fmt::format("there is another plugin with the id {}", twice.spec.id));
      continue;
    }
    registry_.declare(spec.id, spec.rules);
    add(candidates, roster_.add(std::move(spec)), false, ItemsMay::go);
  }
  return replace(candidates);
}

std::vector<LoadReport> Loader::apply(std::vector<PluginSpec> specs, bool also_failed, ItemsMay items_may) {
  end_probations();
  const bool declared_so = roster_.is_declared_as(specs);
  Roster::Plugins gone = roster_.arrange(specs);
  std::vector<registry::Declaration> declarations;
  for (const PluginSpec& spec : specs) declarations.push_back({spec.id, spec.rules});
  if (!declared_so) registry_.arrange(std::move(declarations));
  Candidates candidates;
  std::vector<LoadReport> reports;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    KnownPlugin& plugin = *roster_.plugins()[i];
    LoadReport report;
    if (!adjust(plugin, specs[i], also_failed, report)) {
      add(candidates, plugin, true, items_may);
    } else if (report.done != Done::unchanged) {
      reports.push_back(std::move(report));
    }
  }
  for (LoadReport& report : replace(candidates)) reports.push_back(std::move(report));
  if (!declared_so) retire_all(std::move(gone), reports);
  return reports;
}

LoadReport Loader::reload(const std::string& id, ItemsMay items_may) {
  end_probations();
  KnownPlugin* plugin = roster_.find(id);
  if (!plugin) {
    LoadReport report;
    report.id = id;
    report.done = Done::failed;
    report.error = fmt::format("there is no plugin {}", id);
    return report;
  }
  Candidates candidates;
  add(candidates, *plugin, false, items_may);
  return replace(candidates).front();
}

std::vector<LoadReport> Loader::roll_back(const std::string& id, std::uint64_t generation) {
  end_probations();
  KnownPlugin* plugin = roster_.find(id);
  const std::optional<Former> former = plugin ? probation_.give_up(*plugin, generation) : std::nullopt;
  if (!former) return {};
  Candidates candidates;
  Candidate& back = *candidates.emplace_back(std::make_unique<Candidate>(former->spec));
  back.file_to_load = former->file.path();
  back.number = plugin->next_number();
  back.careful = false;
  back.returns = true;
  std::vector<LoadReport> reports = replace(candidates);
  plugin->note_problem(probation_.describe(generation, reports.front()));
  reports.front().error = plugin->problem();
  return reports;
}

// A candidate for what the plugin is wanted to be.
void Loader::add(Candidates& candidates, KnownPlugin& plugin, bool unless_same, ItemsMay items_may) {
  Candidate& candidate = *candidates.emplace_back(std::make_unique<Candidate>(plugin.wanted()));
  candidate.number = plugin.next_number();
  if (drain_->draining_of(plugin.id()) >= limits::kDrainingMax) {
    candidate.report.busy = true;
    return candidate.reject(fmt::format(
        "{} generations of it wait for their calls to end: set a shorter drain_timeout_ms", limits::kDrainingMax));
  }
  if (drain_->left_behind_of(plugin.id()) >= limits::kLeftBehindMax) {
    return candidate.reject(
        fmt::format("{} generations of it could not be unloaded: restart the server", limits::kLeftBehindMax));
  }
  plugin.note_file();
  Generation* old = plugin.current();
  if (old && !plugin.wanted().imports_remotes) {  // what an importer offers is its remotes' business
    candidate.before = {old->table().version, old->items().offered(old->items().pause())};
    candidate.may_lose_items = items_may == ItemsMay::go || !needs_no_generation(plugin.serving(), plugin.wanted());
  }
  if (unless_same && plugin.current() && needs_no_generation(plugin.serving(), plugin.wanted())) {
    candidate.unless_same_as = plugin.current()->file();
  }
}

// Whether the plugin is as wanted now without a new generation.
bool Loader::adjust(KnownPlugin& plugin, const PluginSpec& wanted, bool also_failed, LoadReport& report) {
  report.id = wanted.id;
  report.library = wanted.library;
  const bool new_spec = !needs_no_generation(plugin.wanted(), wanted);
  plugin.want(wanted);
  if (plugin.has_new_file()) return false;
  if (!plugin.problem().empty() || !plugin.current()) {
    report.done = Done::unchanged;
    return !new_spec && !also_failed;
  }
  report.generation = plugin.current()->number();
  report.done = plugin.serving() == wanted ? Done::unchanged : Done::adjusted;
  if (new_spec) {
    PluginSpec but_for_config = plugin.serving();
    but_for_config.config = wanted.config;
    const auto deadline = Clock::now() + milliseconds(options_.create_timeout_ms);
    if (!needs_no_generation(but_for_config, wanted) || !plugin.current()->reconfigure(wanted.config, deadline)) {
      return false;
    }
    report.done = Done::reconfigured;
  }
  plugin.go_on_as(wanted);
  if (report.done != Done::unchanged) report.warnings = idle_rules(wanted, plugin.current()->items());
  return true;
}

// Each candidate goes its whole way, or as far as it is good. Those that can exist beside what they replace go it together.
std::vector<LoadReport> Loader::replace(Candidates& candidates) {
  std::vector<Candidate*> all;
  for (const auto& candidate : candidates) all.push_back(candidate.get());
  std::erase_if(all, [](const Candidate* candidate) { return !candidate->ok(); });
  stage_.check(all);
  std::vector<Candidate*> exclusive;
  std::vector<Candidate*> others;
  for (Candidate* candidate : all) {
    const Generation* old = roster_.find(candidate->spec.id)->current();
    (old && old->exclusive() ? exclusive : others).push_back(candidate);
  }
  for (Candidate* candidate : others) {
    Generation* old = roster_.find(candidate->spec.id)->current();
    if (candidate->ok() && old) stage_.take_state(*candidate, *old);
  }
  stage_.open(others);
  publisher_.publish(others);
  for (Candidate* candidate : exclusive) {
    if (candidate->ok()) exclusive_.replace(*roster_.find(candidate->spec.id), *candidate);
  }
  std::vector<LoadReport> reports;
  for (const auto& candidate : candidates) {
    const bool known = candidate->number != 0;  // else it was none of the plugins
    if (known) roster_.find(candidate->spec.id)->note_problem(candidate->report.error);
    if (candidate->report.done != Done::unchanged) reports.push_back(std::move(candidate->report));
  }
  return reports;
}

// Takes those out that are no longer declared; what was declared otherwise is seen from now on.
void Loader::retire_all(Roster::Plugins gone, std::vector<LoadReport>& reports) {
  const Adoption adoption;
  for (const auto& plugin : gone) {
    if (plugin->current()) plugin->current()->expect_end();
  }
  static_cast<void>(registry_.replace({}, [adoption] { adoption.arrive(); }));
  for (const auto& plugin : gone) {
    LoadReport& report = reports.emplace_back();
    report.id = plugin->id();
    report.library = plugin->wanted().library;
    report.done = Done::removed;
    if (plugin->current()) {
      drain_->add(plugin->take_current(), adoption, options_.patience(plugin->serving().drain_timeout_ms));
    }
  }
}

void Loader::end_probations() {
  for (const auto& plugin : roster_.plugins()) probation_.end_if_over(*plugin);
}

std::vector<std::string> Loader::shutdown(std::uint64_t deadline_ms, Loops loops) {
  return shutdown(Patience::within(milliseconds(deadline_ms) * 15 / 16), loops);
}

std::vector<std::string> Loader::shutdown(const Patience& patience, Loops loops) {
  const auto deadline = Clock::now() + (patience.drain + patience.grace + patience.end) * 16 / 15;
  const Adoption adoption;
  const Roster::Plugins all = roster_.arrange({});
  std::vector<registry::Change> changes;
  for (const auto& plugin : all) {
    if (plugin->current()) plugin->current()->expect_end();
    changes.push_back({plugin->id(), nullptr, registry_.examine({})});
  }
  static_cast<void>(registry_.replace(std::move(changes), [adoption] { adoption.arrive(); }));
  drain_->hurry();
  if (loops == Loops::ended) drain_->abandon_loops();
  for (const auto& plugin : all) {
    if (plugin->current()) drain_->add(plugin->take_current(), adoption, patience);
  }
  std::vector<std::string> left = drain_->finish(deadline);
  if (!left.empty()) {
    static_cast<void>(invocations_.release());
    static_cast<void>(fetches_.release());
    static_cast<void>(calls_.release());
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
