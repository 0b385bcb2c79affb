// Replacing a plugin that cannot exist twice at a time (EXCLUSIVE): its calls are parked while the old generation is
// destroyed and the new one created.
#pragma once

#include <vector>

#include "plugin/replace/drain.h"
#include "plugin/replace/probation.h"
#include "plugin/replace/publisher.h"
#include "plugin/replace/stage.h"
#include "registry/parking.h"
#include "registry/registry.h"

namespace collet::plugin {

// The loader's thread. Destroyed after the loops have ended.
class ExclusiveReplacement {
 public:
  // All are borrowed.
  ExclusiveReplacement(std::vector<loop::Loop*> loops, registry::Registry& registry, Stage& stage, Publisher& publisher,
                       Probation& probation, Drain& drain, const LoaderOptions& options);

  // From the plugin's generation to the candidate, which has been checked. What fails is said in its report: then what
  // served before serves, created anew if it has been destroyed already, or nothing does.
  void replace(KnownPlugin& plugin, Candidate& candidate);

 private:
  void park(const KnownPlugin& plugin, registry::Parking& parking, const Adoption& adoption);
  void hand_over(KnownPlugin& plugin, Candidate& candidate);
  bool close_now(KnownPlugin& plugin, Candidate& candidate);
  void release(registry::Parking& parking);

  const std::vector<loop::Loop*> loops_;
  registry::Registry& registry_;
  Stage& stage_;
  Publisher& publisher_;
  Probation& probation_;
  Drain& drain_;
  const LoaderOptions& options_;
};

}  // namespace collet::plugin
