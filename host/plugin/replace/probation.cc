#include "plugin/replace/probation.h"

#include "base/log.h"

namespace collet::plugin {

std::optional<Former> Probation::keep(const KnownPlugin& plugin) const {
  auto kept = stage_.keep(plugin.current()->file());
  if (kept) return keep(plugin.serving(), std::move(*kept));
  log::warning("plugin {}: {}; it cannot be taken back", plugin.id(), kept.message());
  return std::nullopt;
}

Former Probation::keep(PluginSpec spec, PrivateFile file) const {
  return {std::move(spec), std::move(file), Clock::now() + std::chrono::milliseconds(options_.probation_ms)};
}

void Probation::begin(const KnownPlugin& plugin) const {
  if (!plugin.former() || !options_.given_up) return;
  Generation& generation = *plugin.current();
  generation.put_on_probation([&given_up = options_.given_up, id = plugin.id(), number = generation.number()] {
    given_up(id, number);
  });
}

void Probation::end_if_over(KnownPlugin& plugin) const {
  if (!plugin.former() || plugin.on_probation()) return;
  static_cast<void>(plugin.take_former());
  if (plugin.current()) plugin.current()->end_probation();
}

std::optional<Former> Probation::give_up(KnownPlugin& plugin, std::uint64_t generation) const {
  if (!plugin.former() || !plugin.current() || plugin.current()->number() != generation) return std::nullopt;
  return plugin.take_former();
}

std::string Probation::describe(std::uint64_t generation, const LoadReport& former) const {
  const std::string why = fmt::format("generation {} has made {} errors of its own within {} ms", generation,
                                      limits::kProbationErrorsMax, options_.probation_ms);
  return former.ok() ? fmt::format("{}, and the one before was brought back", why)
                     : fmt::format("{}, and the one before does not come back: {}", why, former.error);
}

}  // namespace collet::plugin
