#include "plugin/replace/stage.h"

#include <algorithm>
#include <filesystem>
#include <span>

#include "base/json.h"
#include "base/log.h"
#include "plugin/load/file_stamp.h"
#include "plugin/load/file_trust.h"
#include "plugin/run/host_fetches.h"
#include "plugin/run/host_peers.h"
#include "plugin/run/host_records.h"
#include "plugin/run/host_streams.h"

namespace collet::plugin {

namespace {

// What one who is not trusted may see and call of others: what it is granted, as a list of what may be seen cannot be empty.
registry::ViewPtr reach_of(const Permissions& may) {
  registry::ViewRules rules{.allow = may.items, .deny = {}, .unlisted = {}};
  if (may.items.empty()) rules.deny = {"*"};
  return std::make_shared<registry::View>(rules);
}

// Where one who is not trusted may fetch from; null: everywhere.
fetch::GrantsPtr grants_of(const Permissions& may) {
  return may.network ? nullptr : std::make_shared<const fetch::Grants>(may.hosts);
}

}  // namespace

std::vector<std::string> idle_rules(const PluginSpec& spec, const Items& items) {
  using registry::Kind;
  constexpr Kind kNamed[] = {Kind::tool, Kind::prompt};
  constexpr Kind kAll[] = {Kind::tool, Kind::prompt, Kind::resource, Kind::resource_template, Kind::route};
  std::vector<std::string> warnings;
  const auto judge = [&](std::string_view key, const std::string& name, std::span<const Kind> kinds) {
    if (std::any_of(kinds.begin(), kinds.end(), [&](Kind kind) { return items.find(kind, name) != nullptr; }))
      return;
    warnings.push_back(
        fmt::format("{} has no effect on \"{}\": the plugin offers nothing of that name", key, name));
  };
  for (const std::string& name : spec.rules.hide) judge("hide", name, kAll);
  for (const auto& [name, final_name] : spec.rules.rename) judge("rename", name, kNamed);
  for (const auto& [name, timeout_ms] : spec.calls.item_timeouts_ms) judge("tools", name, kAll);
  return warnings;
}

Candidate::Candidate(PluginSpec given) : spec(std::move(given)), file_to_load(spec.library) {
  report.id = spec.id;
  report.library = spec.library;
}

void Candidate::reject(std::string reason) {
  report.error = fmt::format("cannot load {}: {}", spec.library, reason);
  report.done = LoadReport::Done::failed;
}

Patience LoaderOptions::patience(std::uint64_t drain_timeout_ms) const {
  using std::chrono::milliseconds;
  return {milliseconds(drain_timeout_ms), milliseconds(cancel_grace_ms), milliseconds(destroy_timeout_ms)};
}

Stage::Stage(CallTable& calls, Invocations& invocations, FetchLanes& fetches, const LoaderOptions& options, Stuck stuck,
             std::unique_ptr<TrialParent> trials)
    : calls_(calls),
      invocations_(invocations),
      fetches_(fetches),
      options_(options),
      stuck_(std::move(stuck)),
      preflight_(options.preflight_executable, options.preflight_timeout_ms, std::move(trials)) {}

void Stage::check(std::vector<Candidate*> candidates) {
  if (!claimed_.empty()) forget_unmapped();
  for (const Candidate* candidate : candidates) libraries_.insert(candidate->spec.library);
  for (Candidate* candidate : candidates) check_file(*candidate);
  std::erase_if(candidates, [](const Candidate* candidate) { return !candidate->ok(); });
  if (!options_.preflight_executable.empty()) preflight(candidates);
}

void Stage::remove_copies() const {
  const std::lock_guard lock(folder_mutex_);
  std::error_code ignored;
  if (folder_) std::filesystem::remove_all(folder_->path(), ignored);
}

void Stage::check_file(Candidate& candidate) {
  if (!json::is_object(candidate.spec.config)) return candidate.reject("its config is not a JSON object");
  if (!candidate.spec.allow_writable_by_others) {
    if (auto good = check_writers(candidate.file_to_load); !good) return candidate.reject(good.message());
  }
  if (!folder_) {
    auto folder = PrivateDir::create(options_.private_folder);
    if (!folder) return candidate.reject(folder.message());
    const std::lock_guard lock(folder_mutex_);
    folder_ = std::make_unique<PrivateDir>(std::move(*folder));
  }
  auto file = [&] {
    const std::lock_guard lock(folder_mutex_);  // remove_copies() leaves nothing behind
    return folder_->copy(candidate.file_to_load, options_.file_bytes_max);
  }();
  if (!file) return candidate.reject(file.message());
  candidate.file = std::move(*file);
  if (!candidate.unless_same_as.empty() && same_bytes(candidate.file.path(), candidate.unless_same_as)) {
    candidate.report.done = LoadReport::Done::unchanged;
    return;
  }
  auto elf = read_elf_file(candidate.file.path());
  if (!elf) return candidate.reject(elf.message());
  candidate.elf = std::move(*elf);
  if (!candidate.elf.errors.empty()) return candidate.reject(candidate.elf.errors.front());
  {
    const std::lock_guard lock(folder_mutex_);
    candidate.needed = folder_->furnish(candidate.file, candidate.spec.library, candidate.elf,
                                         options_.file_bytes_max, libraries_);
  }
  place(candidate);
}

// What cannot be unloaded is better off in a process that can be ended, and what would be given the library of another
// one in a process that has no other.
void Stage::place(Candidate& candidate) {
  const Placement wanted = candidate.spec.placement;
  const bool possible = static_cast<bool>(options_.make_worker);
  if (wanted == Placement::worker && !possible) {
    return candidate.reject("it is to run in a worker process, and there are none here");
  }
  const std::string taken = find_taken_name(candidate);
  candidate.worker = wanted == Placement::worker || (wanted == Placement::automatic && possible &&
                                                     (!candidate.elf.unloadable() || !taken.empty()));
  if (!candidate.worker) {
    candidate.report.warnings = candidate.elf.warnings;
    if (!taken.empty()) candidate.report.warnings.push_back(taken);
    claim(candidate);
  } else if (wanted == Placement::automatic) {
    log::info("plugin {}: runs in a worker process of its own, because otherwise it {}", candidate.spec.id,
              candidate.elf.unloadable() ? taken : candidate.elf.warnings.front());
  }
}

// The loader knows libraries by name and takes one that it has for any other of that name: that of the generation
// before, or of another plugin.
std::string Stage::find_taken_name(const Candidate& candidate) const {
  const auto name_of = [](const std::string& path) { return std::filesystem::path(path).filename(); };
  for (const std::string& path : candidate.needed) {
    const FileStamp stamp = FileStamp::of(path);
    for (const auto& [other, other_stamp] : claimed_) {
      if (name_of(other) != name_of(path) || other_stamp == stamp) continue;
      return fmt::format("would use another {} than the one beside it: that of a plugin, or of its own build before, "
                         "which is still loaded",
                         name_of(path).string());
    }
  }
  return {};
}

void Stage::forget_unmapped() {
  const std::vector<std::string> mapped = mapped_libraries();
  std::erase_if(claimed_, [&](const auto& claim) {
    return std::find(mapped.begin(), mapped.end(), claim.first) == mapped.end();
  });
}

void Stage::claim(const Candidate& candidate) {
  for (const std::string& path : candidate.needed) claimed_.emplace(path, FileStamp::of(path));
}

// A worker is its own trial, and a trial here would not be confined as the worker is.
void Stage::preflight(std::vector<Candidate*> candidates) {
  std::erase_if(candidates, [](const Candidate* candidate) { return candidate->worker; });
  std::vector<PreflightFile> files;
  for (const Candidate* candidate : candidates) {
    files.push_back({.path = candidate->file.path(),
                     .config = candidate->spec.config,
                     .config_places = candidate->spec.config_places.to_text(),
                     .library = candidate->spec.library,
                     .view = candidate->file.view()});
  }
  const auto results = preflight_.run(files);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    Candidate& candidate = *candidates[i];
    candidate.report.info = results[i].info;
    candidate.report.place = results[i].place;
    for (const std::string& line : results[i].place) log::error("plugin {}: {}", candidate.spec.id, line);
    if (results[i]) continue;
    candidate.worker = results[i].message() == kWorkerOnly && options_.make_worker &&
                       candidate.spec.placement == Placement::automatic;
    if (!candidate.worker) candidate.reject(results[i].message());
  }
}

GenerationSpec Stage::generation_spec(Candidate& candidate) const {
  GenerationSpec spec;
  spec.name = candidate.spec.id;
  spec.config = candidate.spec.config;
  spec.config_places = candidate.spec.config_places.to_text();
  spec.number = candidate.number;
  spec.rules = candidate.spec.calls;
  spec.never_unload = options_.never_unload;
  spec.debug = options_.debug;
  if (!candidate.worker) spec.prior = std::move(candidate.prior);
  spec.status_changed = options_.status_changed;
  if (options_.resource_updated) {
    spec.resource_updated = [this, id = candidate.spec.id](std::string_view uri) {
      options_.resource_updated(id, uri);
    };
  }
  spec.make_peers = [this, reach = candidate.worker ? reach_of(candidate.spec.permissions) : nullptr](
                        CallTable& calls, CallOwner& owner, Answers& answers) {
    return std::make_unique<HostPeers>(calls, owner, answers, invocations_, reach);
  };
  if (options_.records) {
    spec.make_records = [this, id = candidate.spec.id](Answers& answers) {
      return std::make_unique<HostRecords>(answers, *options_.records, id);
    };
  }
  if (options_.streams) {
    std::optional<std::vector<std::string>> may_read;
    if (candidate.worker) may_read = candidate.spec.permissions.events;
    spec.make_streams = [this, id = candidate.spec.id, may_read](Answers& answers) {
      return std::make_unique<HostStreams>(answers, *options_.streams, id, may_read);
    };
  }
  spec.make_fetches = [this, grants = candidate.worker ? grants_of(candidate.spec.permissions) : nullptr](
                          CallTable& calls, CallOwner& owner, Answers& answers) {
    return std::make_unique<HostFetches>(calls, owner, answers, fetches_, grants);
  };
  return spec;
}

std::unique_ptr<Image> Stage::make_image(Candidate& candidate) const {
  if (!candidate.worker) return image_of_library(std::move(candidate.file));
  return options_.make_worker({.name = candidate.spec.id,
                               .library = candidate.spec.library,
                               .file = std::move(candidate.file),
                               .config = candidate.spec.config,
                               .config_places = candidate.spec.config_places.to_text(),
                               .number = candidate.number,
                               .prior = std::move(candidate.prior),
                               .permissions = candidate.spec.permissions});
}

void Stage::take_state(Candidate& candidate, Generation& before) const {
  auto saved = before.save_state(Clock::now() + std::chrono::milliseconds(options_.save_timeout_ms));
  if (saved) {
    candidate.prior = std::move(*saved);
  } else {
    candidate.reject(saved.message());
  }
}

void Stage::open(std::vector<Candidate*> candidates) {
  for (Candidate* candidate : candidates) {
    if (candidate->ok() && !candidate->worker && candidate->spec.permissions.require_sandbox) {
      candidate->reject("require_sandbox is set, and it would run in this process (placement = \"worker\")");
    }
  }
  std::erase_if(candidates, [](const Candidate* candidate) { return !candidate->ok(); });
  for (Candidate* candidate : candidates) {
    candidate->generation =
        std::make_unique<Generation>(calls_, generation_spec(*candidate), make_image(*candidate), candidate->elf);
    candidate->generation->begin_open();
  }
  const auto deadline = Clock::now() + std::chrono::milliseconds(options_.create_timeout_ms);
  for (Candidate* candidate : candidates) {
    Generation& generation = *candidate->generation;
    const auto opened = generation.finish_open(deadline);
    if (!generation.stuck()) candidate->report.info = generation.info();
    if (!opened) {
      candidate->report.place = generation.last_end();
      candidate->reject(opened.message());
      if (generation.stuck()) {
        stuck_(std::move(candidate->generation), opened.message());
      } else {
        candidate->generation.reset();
      }
      continue;
    }
    LoadReport& report = candidate->report;
    report.plugin_id = generation.table().id;
    report.version = generation.table().version;
    report.generation = generation.number();
    report.items = generation.item_count();
    if (!generation.in_worker() && candidate->spec.permissions != Permissions()) {
      report.warnings.emplace_back(
          "it runs in this process and is trusted: its permissions hold nothing back (placement = \"worker\" "
          "would)");
    }
    for (std::string& warning : idle_rules(candidate->spec, generation.items())) {
      report.warnings.push_back(std::move(warning));
    }
    if (const std::string problem = generation.item_problem(); !problem.empty()) {
      report.warnings.push_back(fmt::format("left out: {}", problem));
    }
  }
}

Result<PrivateFile> Stage::keep(const std::string& file) {
  const std::lock_guard lock(folder_mutex_);
  return folder_->link(file);
}

}  // namespace collet::plugin
