#include "plugin/replace/exclusive_replacement.h"

#include "base/log.h"

namespace collet::plugin {
namespace {

Clock::time_point soon() { return Clock::now() + std::chrono::milliseconds(limits::kDestroyTimeoutMs); }

}  // namespace

ExclusiveReplacement::ExclusiveReplacement(std::vector<loop::Loop*> loops, registry::Registry& registry, Stage& stage,
                                           Publisher& publisher, Probation& probation, Drain& drain,
                                           const LoaderOptions& options)
    : loops_(std::move(loops)),
      registry_(registry),
      stage_(stage),
      publisher_(publisher),
      probation_(probation),
      drain_(drain),
      options_(options) {}

void ExclusiveReplacement::replace(KnownPlugin& plugin, Candidate& candidate) {
  Generation& old = *plugin.current();
  const Adoption adoption;
  registry::Parking parking(plugin.id(), loops_);
  park(plugin, parking, adoption);
  if (!adoption.wait_until(soon())) {
    candidate.reject("the server's threads are too busy to let go of the generation before");
  } else if (!old.drain(options_.patience(plugin.serving().drain_timeout_ms))) {
    candidate.reject("calls of the generation before do not end, and both cannot exist at a time (EXCLUSIVE)");
  } else {
    stage_.take_state(candidate, old);
  }
  const std::uint64_t old_number = old.number();
  if (candidate.ok()) hand_over(plugin, candidate);
  if (plugin.current() && plugin.current()->number() == old_number) {
    plugin.current()->expect_no_end();
    publisher_.republish(*plugin.current());
  }
  if (!plugin.current()) registry_.replace(plugin.id(), nullptr, {});
  release(parking);
}

// Calls of the plugin wait from now on; `adoption` comes when none is started at it any more.
void ExclusiveReplacement::park(const KnownPlugin& plugin, registry::Parking& parking, const Adoption& adoption) {
  Generation& old = *plugin.current();
  const Items::Pause pause = old.items().pause();
  old.items().publish_by(pause, {});
  old.expect_end();
  std::vector<registry::Change> changes;
  changes.push_back({plugin.id(), &parking, registry_.examine(old.items().current(pause))});
  static_cast<void>(registry_.replace(std::move(changes), [adoption] { adoption.arrive(); }));
}

// From the old generation to the new one, or back to what the old one was.
void ExclusiveReplacement::hand_over(KnownPlugin& plugin, Candidate& candidate) {
  auto kept = stage_.keep(plugin.current()->file());
  if (!kept) return candidate.reject(kept.message());
  Candidate back(plugin.serving());
  back.file_to_load = kept->path();
  back.prior = candidate.prior;
  back.careful = false;
  const std::uint64_t old_number = plugin.current()->number();
  if (!close_now(plugin, candidate)) return;

  candidate.careful = false;
  stage_.open({&candidate});
  publisher_.publish({&candidate});
  if (candidate.ok()) {
    log::info("plugin {}: generation {} has taken over from generation {}, which ended before", candidate.spec.id,
              candidate.number, old_number);
    candidate.report.done = LoadReport::Done::replaced;
    if (candidate.returns) return;
    plugin.set_former(probation_.keep(back.spec, std::move(*kept)));
    return probation_.begin(plugin);
  }
  back.number = plugin.next_number();
  stage_.check({&back});
  stage_.open({&back});
  publisher_.publish({&back});
  if (!back.ok()) {
    candidate.report.error += fmt::format("; and what it was to replace does not come back: {}", back.report.error);
  }
}

// The plugin has no generation then. False if the old one does not end: there cannot be another one, ever.
bool ExclusiveReplacement::close_now(KnownPlugin& plugin, Candidate& candidate) {
  std::unique_ptr<Generation> old = plugin.take_current();
  const Adoption nobody_starts_calls;
  nobody_starts_calls.arrive();
  const std::uint64_t number = old->number();
  drain_.add(std::move(old), nobody_starts_calls, {{}, {}, std::chrono::milliseconds(options_.destroy_timeout_ms)});
  if (drain_.wait_for(plugin.id(), number)) return true;
  candidate.reject("the generation before does not end, and both cannot exist at a time (EXCLUSIVE)");
  return false;
}

// Calls go on with whatever serves now.
void ExclusiveReplacement::release(registry::Parking& parking) {
  const Adoption adoption;
  static_cast<void>(registry_.replace({}, [adoption] { adoption.arrive(); }));
  adoption.wait();
  const Adoption released;
  parking.release(registry_, [released] { released.arrive(); });
  released.wait();
}

}  // namespace collet::plugin
