#include "plugin/replace/publisher.h"

#include "base/log.h"

namespace collet::plugin {

Publisher::Publisher(registry::Registry& registry, Roster& roster, Probation& probation, Drain& drain,
                     const LoaderOptions& options)
    : registry_(registry), roster_(roster), probation_(probation), drain_(drain), options_(options) {}

// Neither generation may change its items meanwhile.
void Publisher::publish(std::vector<Candidate*> candidates) {
  discard_incomplete(candidates);
  for (Candidate* candidate : candidates) {
    if (candidate->ok() && candidate->before) compare(*candidate);
  }
  std::erase_if(candidates, [](const Candidate* candidate) { return !candidate->ok(); });
  if (candidates.empty()) return;

  std::vector<registry::Change> changes;
  std::vector<Items::Pause> pauses;
  std::vector<Items::Pause> old_pauses;
  for (const Candidate* candidate : candidates) {
    Generation& generation = *candidate->generation;
    pauses.push_back(generation.items().pause());
    Generation* old = roster_.find(candidate->spec.id)->current();
    changes.push_back({candidate->spec.id, &generation,
                       registry_.examine(generation.items().current(pauses.back())), old && candidate->careful});
  }
  for (const Candidate* candidate : candidates) {
    Generation* old = roster_.find(candidate->spec.id)->current();
    old_pauses.push_back(old ? old->items().pause() : Items::Pause());
    if (old) old->expect_end();
  }
  const Adoption adoption;
  const auto results = registry_.replace(std::move(changes), [adoption] { adoption.arrive(); });
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    Generation& generation = *candidates[i]->generation;
    Generation* old = roster_.find(candidates[i]->spec.id)->current();
    if (results[i]) generation.items().publish_by(pauses[i], publish_changes_of(generation));
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

void Publisher::republish(Generation& generation) {
  const Items::Pause pause = generation.items().pause();
  generation.items().publish_by(pause, publish_changes_of(generation));
  registry_.replace(generation.name(), &generation, generation.items().current(pause));
}

// One that was refused an item is no good, if the one before was not.
void Publisher::discard_incomplete(const std::vector<Candidate*>& candidates) {
  for (Candidate* candidate : candidates) {
    const Generation* old = roster_.find(candidate->spec.id)->current();
    if (!candidate->ok() || !old || !candidate->careful) continue;
    const std::string problem = candidate->generation->item_problem();
    if (!problem.empty() && problem != old->item_problem()) discard(*candidate, problem);
  }
}

// One that takes items away whose callers rely on them has to say so.
void Publisher::compare(Candidate& candidate) {
  Items& items = candidate.generation->items();
  const Predecessor& before = *candidate.before;
  const ItemChanges& changes = candidate.report.changes = changes_between(before.items, items.offered(items.pause()));
  const std::string& version = candidate.generation->table().version;
  if (candidate.may_lose_items || changes.lost.empty() || says_that_items_go(before.version, version)) return;
  const std::string lost = ItemChanges{.added = {}, .removed = changes.lost, .changed = {}, .lost = {}}.to_text();
  discard(candidate, fmt::format("it takes away what it offered before ({}), and its version is {} and was {}: raise {}, or accept "
                                 "that (collet reload --accept)",
                                 lost, version, before.version, number_to_raise(version)));
}

// What has been published serves from now on.
void Publisher::install(Candidate& candidate, const Adoption& adoption) {
  KnownPlugin& plugin = *roster_.find(candidate.spec.id);
  Generation& generation = *candidate.generation;
  if (generation.has_nonblocking_items() && !generation.runs_inline()) {
    log::info("plugin {}: its NONBLOCKING items run on an executor, because {}", candidate.spec.id,
              generation.inline_obstacle());
  }
  if (!plugin.current() && log::enabled(log::Level::debug)) {
    const std::vector<OfferedItem> offered = generation.items().offered(generation.items().pause());
    log::debug("plugin {}: {} {} offers {}", candidate.spec.id, generation.table().id, generation.table().version,
               offered.empty() ? "nothing yet" : changes_between({}, offered).to_text());
  }
  std::optional<Former> former;
  if (plugin.current() && !candidate.returns) former = probation_.keep(plugin);
  const std::uint64_t drain_timeout_ms = plugin.serving().drain_timeout_ms;
  std::unique_ptr<Generation> old =
      plugin.install(std::move(candidate.generation), candidate.spec, std::move(former));
  probation_.begin(plugin);
  candidate.report.done = old ? LoadReport::Done::replaced : LoadReport::Done::loaded;
  if (!old) return;
  log::info("plugin {}: generation {} ({} {}) has taken over from generation {}", candidate.spec.id,
            generation.number(), generation.table().id, generation.table().version, old->number());
  drain_.add(std::move(old), adoption, options_.patience(drain_timeout_ms));
}

// What was created will not serve.
void Publisher::discard(Candidate& candidate, std::string reason) {
  candidate.reject(std::move(reason));
  const Adoption nobody_reads_it;
  nobody_reads_it.arrive();
  drain_.add(std::move(candidate.generation), nobody_reads_it, options_.patience(0));
}

Items::Publish Publisher::publish_changes_of(Generation& generation) {
  return [&registry = registry_, &generation](std::vector<registry::ItemDef> items, Callback<void()> adopted) {
    registry.replace(generation.name(), &generation, std::move(items), std::move(adopted));
  };
}

}  // namespace collet::plugin
