// Replacing a plugin that cannot exist twice at a time: its calls are parked while the old generation is destroyed
// and the new one created.
#include "base/log.h"
#include "plugin/replace/loader.h"

namespace collet::plugin {
namespace {

Clock::time_point soon() { return Clock::now() + std::chrono::milliseconds(limits::kDestroyTimeoutMs); }

}  // namespace

void Loader::replace_exclusive(Candidate& candidate) {
  Plugin& plugin = *find(candidate.spec.id);
  Generation& old = *plugin.current;
  const Adoption adoption;
  Parking& parking = park(plugin, adoption);
  if (!adoption.wait_until(soon())) {
    candidate.reject("the server's threads are too busy to let go of the generation before");
  } else if (!old.drain(patience(plugin.serving.drain_timeout_ms))) {
    candidate.reject("calls of the generation before do not end, and both cannot exist at a time (EXCLUSIVE)");
  } else {
    save_state(candidate);
  }
  const std::uint64_t old_number = old.number();
  if (candidate.ok()) hand_over(plugin, candidate);
  if (plugin.current && plugin.current->number() == old_number) {
    plugin.current->expect_no_end();
    republish(*plugin.current);
  }
  if (!plugin.current) registry_.replace(plugin.wanted.id, nullptr, {});
  release(plugin, parking);
}

// Calls of the plugin are parked from now on; `adoption` comes when none is started at it any more.
Parking& Loader::park(Plugin& plugin, const Adoption& adoption) {
  Generation& old = *plugin.current;
  Parking& parking = *parkings_.emplace_back(std::make_unique<Parking>(plugin.wanted.id, loops_));
  const Items::Pause pause = old.items().pause();
  old.items().publish_by(pause, {});
  old.expect_end();
  std::vector<registry::Change> changes;
  changes.push_back(
      {plugin.wanted.id, &parking, registry_.examine(parking.stand_in_for(old.items().current(pause)))});
  static_cast<void>(registry_.replace(std::move(changes), [adoption] { adoption.arrive(); }));
  return parking;
}

void Loader::republish(Generation& generation) {
  const Items::Pause pause = generation.items().pause();
  generation.items().publish_by(pause, publisher(generation));
  registry_.replace(generation.name(), &generation, generation.items().current(pause));
}

// From the old generation to the new one, or back to what the old one was.
void Loader::hand_over(Plugin& plugin, Candidate& candidate) {
  auto kept = stage_.keep(plugin.current->file());
  if (!kept) return candidate.reject(kept.message());
  Candidate back(plugin.serving);
  back.file_to_load = kept->path();
  back.prior = candidate.prior;
  back.careful = false;
  const std::uint64_t old_number = plugin.current->number();
  if (!close_now(plugin, candidate)) return;

  candidate.careful = false;
  open({&candidate});
  publish({&candidate});
  if (candidate.ok()) {
    log::info("plugin {}: generation {} has taken over from generation {}, which ended before", candidate.spec.id,
              candidate.number, old_number);
    candidate.report.done = LoadReport::Done::replaced;
    if (candidate.returns) return;
    const auto until = Clock::now() + std::chrono::milliseconds(options_.probation_ms);
    {
      const std::lock_guard lock(mutex_);
      plugin.former = Former{back.spec, std::move(*kept), until};
    }
    return put_on_probation(plugin);
  }
  back.number = ++plugin.generations;
  stage_.check({&back});
  open({&back});
  publish({&back});
  if (!back.ok()) {
    candidate.report.error += fmt::format("; and what it was to replace does not come back: {}", back.report.error);
  }
}

// The plugin has no generation then. False if the old one does not end: there cannot be another one, ever.
bool Loader::close_now(Plugin& plugin, Candidate& candidate) {
  std::unique_ptr<Generation> old;
  {
    const std::lock_guard lock(mutex_);
    old = std::move(plugin.current);
  }
  const Adoption nobody_starts_calls;
  nobody_starts_calls.arrive();
  const std::uint64_t number = old->number();
  drain_->add(std::move(old), nobody_starts_calls,
              {{}, {}, std::chrono::milliseconds(options_.destroy_timeout_ms)});
  if (drain_->wait_for(plugin.wanted.id, number)) return true;
  candidate.reject("the generation before does not end, and both cannot exist at a time (EXCLUSIVE)");
  return false;
}

// Parked calls go on with whatever serves now.
void Loader::release(Plugin& plugin, Parking& parking) {
  const Adoption adoption;
  static_cast<void>(registry_.replace({}, [adoption] { adoption.arrive(); }));
  adoption.wait();
  Generation* const now = plugin.current.get();
  const Adoption released;
  parking.release(
      [now](registry::Kind kind, const std::string& name) -> Parking::Place {
        const ItemRecord* item = now ? now->items().find(kind, name) : nullptr;
        if (!item) return {};
        return {now, item->def.handle};
      },
      fmt::format("plugin {}: what was called is gone; it was replaced meanwhile", plugin.wanted.id),
      [released] { released.arrive(); });
  released.wait();
}

}  // namespace collet::plugin
