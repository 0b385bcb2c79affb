#include "plugin/loader.h"

#include <algorithm>
#include <condition_variable>
#include <filesystem>

#include "base/json.h"
#include "base/log.h"
#include "plugin/preflight.h"

namespace collet::plugin {

// A spec on its way to a generation. An error in the report stops it.
struct Loader::Candidate {
  PluginSpec spec;
  LoadReport report;
  PrivateFile file;
  ElfReport elf;
  std::unique_ptr<Generation> generation;

  void reject(std::string reason) { report.error = fmt::format("cannot load {}: {}", spec.library, reason); }
};

Loader::Loader(std::vector<loop::Loop*> loops, registry::Registry& registry, LoaderOptions options)
    : registry_(registry), options_(std::move(options)), calls_(std::make_unique<CallTable>(std::move(loops))) {}

Loader::~Loader() {
  for (const std::string& left : shutdown(limits::kDrainTimeoutMs, Loops::ended)) log::warning("{}", left);
}

std::vector<LoadReport> Loader::load(std::vector<PluginSpec> specs) {
  std::vector<Candidate> candidates;
  for (PluginSpec& spec : specs) {
    Candidate& candidate = candidates.emplace_back();
    candidate.spec = std::move(spec);
    candidate.report.id = candidate.spec.id;
    candidate.report.library = candidate.spec.library;
    if (std::find(declared_.begin(), declared_.end(), candidate.spec.id) != declared_.end()) {
      candidate.reject(fmt::format("there is another plugin with the id {}", candidate.spec.id));
      continue;
    }
    declared_.push_back(candidate.spec.id);
    registry_.declare(candidate.spec.id, candidate.spec.rules);
    check_file(candidate);
  }
  preflight(candidates);
  open(candidates);
  std::vector<LoadReport> reports;
  for (Candidate& candidate : candidates) {
    if (candidate.report.ok()) publish(candidate);
    reports.push_back(std::move(candidate.report));
  }
  return reports;
}

void Loader::check_file(Candidate& candidate) {
  if (candidate.spec.placement == Placement::worker) {
    return candidate.reject("placement = \"worker\" is not supported by this build");
  }
  if (!json::is_object(candidate.spec.config)) return candidate.reject("its config is not a JSON object");
  if (!folder_) {
    auto folder = PrivateDir::create(options_.private_folder);
    if (!folder) return candidate.reject(folder.message());
    folder_ = std::make_unique<PrivateDir>(std::move(*folder));
  }
  auto file = folder_->copy(candidate.spec.library, options_.file_bytes_max);
  if (!file) return candidate.reject(file.message());
  candidate.file = std::move(*file);
  auto elf = read_elf_file(candidate.file.path());
  if (!elf) return candidate.reject(elf.message());
  candidate.elf = std::move(*elf);
  candidate.report.warnings = candidate.elf.warnings;
  if (!candidate.elf.errors.empty()) candidate.reject(candidate.elf.errors.front());
}

void Loader::preflight(std::vector<Candidate>& candidates) {
  if (options_.preflight_executable.empty()) return;
  std::vector<PreflightFile> files;
  std::vector<Candidate*> tried;
  for (Candidate& candidate : candidates) {
    if (!candidate.report.ok()) continue;
    files.push_back({candidate.file.path(), candidate.spec.config});
    tried.push_back(&candidate);
  }
  const auto results = Preflight(options_.preflight_executable, options_.preflight_timeout_ms).run(files);
  for (std::size_t i = 0; i < tried.size(); ++i) {
    if (!results[i]) tried[i]->reject(results[i].message());
  }
}

void Loader::open(std::vector<Candidate>& candidates) {
  for (Candidate& candidate : candidates) {
    if (!candidate.report.ok()) continue;
    GenerationSpec spec{.name = candidate.spec.id,
                        .config = candidate.spec.config,
                        .number = 1,
                        .rules = candidate.spec.calls,
                        .never_unload = options_.never_unload,
                        .resource_updated = {}};
    if (options_.resource_updated) {
      spec.resource_updated = [this, id = candidate.spec.id](std::string_view uri) {
        options_.resource_updated(id, uri);
      };
    }
    candidate.generation =
        std::make_unique<Generation>(*calls_, std::move(spec), std::move(candidate.file), candidate.elf);
    candidate.generation->begin_open();
  }
  const auto deadline = Clock::now() + std::chrono::milliseconds(options_.create_timeout_ms);
  for (Candidate& candidate : candidates) {
    if (!candidate.generation) continue;
    auto opened = candidate.generation->finish_open(deadline);
    if (opened) continue;
    candidate.reject(opened.message());
    if (candidate.generation->stuck()) static_cast<void>(candidate.generation.release());
  }
}

void Loader::publish(Candidate& candidate) {
  Generation& generation = *candidate.generation;
  candidate.report.plugin_id = generation.table().id;
  candidate.report.version = generation.table().version;
  candidate.report.items = generation.item_count();
  if (std::string problem = generation.item_problem(); !problem.empty()) {
    candidate.report.warnings.push_back(fmt::format("left out: {}", problem));
  }
  generation.begin_publishing(
      [this, id = candidate.spec.id, &generation](std::vector<registry::ItemDef> items, Callback<void()> adopted) {
        registry_.replace(id, &generation, std::move(items), std::move(adopted));
      });
  if (generation.has_nonblocking_items() && !generation.runs_inline()) {
    log::info("plugin {}: its NONBLOCKING items run on an executor, because {}", candidate.spec.id,
              generation.inline_obstacle());
  }
  generations_.push_back(std::move(candidate.generation));
}

std::vector<PluginStatus> Loader::status() const {
  std::vector<PluginStatus> all;
  for (const auto& generation : generations_) {
    all.push_back({.id = generation->name(),
                   .plugin_id = generation->table().id,
                   .version = generation->table().version,
                   .placement = Placement::in_process,
                   .items = generation->item_count(),
                   .calls_in_flight = generation->calls_in_flight(),
                   .runs_inline = generation->runs_inline()});
  }
  return all;
}

std::string Loader::health(std::string_view id) const {
  for (const auto& generation : generations_) {
    if (generation->name() == id) return generation->status();
  }
  return {};
}

void Loader::watch(std::string_view uri, bool watched) const {
  for (const auto& generation : generations_) generation->watch(uri, watched);
}

void Loader::cancel_calls(unsigned loop) {
  for (const auto& generation : generations_) generation->cancel_calls(loop);
}

namespace {

// Waits until every loop has let go of a generation's items.
class Adoption {
 public:
  explicit Adoption(std::size_t expected) : state_(std::make_shared<State>()) { state_->left = expected; }

  Callback<void()> arrival() {
    return [state = state_] {
      const std::lock_guard lock(state->mutex);
      --state->left;
      state->changed.notify_all();
    };
  }

  bool wait_until(Clock::time_point deadline) {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_until(lock, deadline, [&] { return state_->left == 0; });
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t left = 0;
  };
  std::shared_ptr<State> state_;  // shared with arrivals that come after the wait was given up
};

}  // namespace

std::vector<std::string> Loader::shutdown(std::uint64_t deadline_ms, Loops loops) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(deadline_ms);
  Adoption adoption(generations_.size());
  for (const auto& generation : generations_) {
    registry_.replace(generation->name(), nullptr, {}, adoption.arrival());
  }
  std::vector<std::string> left(generations_.size());
  if (loops == Loops::running && !adoption.wait_until(deadline)) {
    for (std::size_t i = 0; i < left.size(); ++i) left[i] = "loops have not let go of its items";
  } else {
    // Side by side: one that does not end must not use up the others' time.
    std::vector<std::thread> reapers;
    for (std::size_t i = 0; i < left.size(); ++i) {
      reapers.push_back(start_thread("reaper", [&, i] {
        if (auto closed = generations_[i]->close(deadline); !closed) left[i] = closed.message();
      }));
    }
    for (std::thread& reaper : reapers) reaper.join();
  }

  std::vector<std::string> words;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i].empty()) {
      closed_.push_back(std::move(generations_[i]));
    } else {
      words.push_back(fmt::format("plugin {} was not unloaded: {}", generations_[i]->name(), left[i]));
      static_cast<void>(generations_[i].release());
    }
  }
  generations_.clear();
  if (!words.empty()) static_cast<void>(calls_.release());
  return words;
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
