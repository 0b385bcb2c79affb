#include "plugin/stage.h"

#include "base/json.h"
#include "plugin/file_stamp.h"
#include "plugin/preflight.h"

namespace collet::plugin {

Candidate::Candidate(PluginSpec given) : spec(std::move(given)), file_to_load(spec.library) {
  report.id = spec.id;
  report.library = spec.library;
}

void Candidate::reject(std::string reason) {
  report.error = fmt::format("cannot load {}: {}", spec.library, reason);
  report.done = LoadReport::Done::failed;
}

void Stage::check(std::vector<Candidate*> candidates) {
  for (Candidate* candidate : candidates) check_file(*candidate);
  std::erase_if(candidates, [](const Candidate* candidate) { return !candidate->ok(); });
  if (!candidates.empty() && !options_.preflight_executable.empty()) preflight(candidates);
}

void Stage::check_file(Candidate& candidate) {
  if (candidate.spec.placement == Placement::worker) {
    return candidate.reject("placement = \"worker\" is not supported by this build");
  }
  if (!json::is_object(candidate.spec.config)) return candidate.reject("its config is not a JSON object");
  if (!folder_) {
    auto folder = PrivateDir::create(options_.private_folder);
    if (!folder) return candidate.reject(folder.message());
    folder_ = std::make_unique<PrivateDir>(std::move(*folder));
  }
  auto file = folder_->copy(candidate.file_to_load, options_.file_bytes_max);
  if (!file) return candidate.reject(file.message());
  candidate.file = std::move(*file);
  if (!candidate.unless_same_as.empty() && same_bytes(candidate.file.path(), candidate.unless_same_as)) {
    candidate.report.done = LoadReport::Done::unchanged;
    return;
  }
  auto elf = read_elf_file(candidate.file.path());
  if (!elf) return candidate.reject(elf.message());
  candidate.elf = std::move(*elf);
  candidate.report.warnings = candidate.elf.warnings;
  if (!candidate.elf.errors.empty()) candidate.reject(candidate.elf.errors.front());
}

void Stage::preflight(const std::vector<Candidate*>& candidates) {
  std::vector<PreflightFile> files;
  for (const Candidate* candidate : candidates) files.push_back({candidate->file.path(), candidate->spec.config});
  const auto results = Preflight(options_.preflight_executable, options_.preflight_timeout_ms).run(files);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!results[i]) candidates[i]->reject(results[i].message());
  }
}

GenerationSpec Stage::generation_spec(Candidate& candidate) const {
  GenerationSpec spec;
  spec.name = candidate.spec.id;
  spec.config = candidate.spec.config;
  spec.number = candidate.number;
  spec.rules = candidate.spec.calls;
  spec.never_unload = options_.never_unload;
  spec.prior = std::move(candidate.prior);
  if (options_.resource_updated) {
    spec.resource_updated = [this, id = candidate.spec.id](std::string_view uri) {
      options_.resource_updated(id, uri);
    };
  }
  return spec;
}

void Stage::open(std::vector<Candidate*> candidates, const Stuck& stuck) {
  std::erase_if(candidates, [](const Candidate* candidate) { return !candidate->ok(); });
  for (Candidate* candidate : candidates) {
    candidate->generation = std::make_unique<Generation>(calls_, generation_spec(*candidate),
                                                         std::move(candidate->file), candidate->elf);
    candidate->generation->begin_open();
  }
  const auto deadline = Clock::now() + std::chrono::milliseconds(options_.create_timeout_ms);
  for (Candidate* candidate : candidates) {
    Generation& generation = *candidate->generation;
    const auto opened = generation.finish_open(deadline);
    if (!opened) {
      candidate->reject(opened.message());
      if (generation.stuck()) {
        stuck(std::move(candidate->generation), opened.message());
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
    if (const std::string problem = generation.item_problem(); !problem.empty()) {
      report.warnings.push_back(fmt::format("left out: {}", problem));
    }
  }
}

Result<PrivateFile> Stage::keep(const std::string& file) { return folder_->link(file); }

}  // namespace collet::plugin
