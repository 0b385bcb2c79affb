// From a generation that could serve to one that does: into the registry, and into the place of the one before.
#pragma once

#include <string>
#include <vector>

#include "plugin/replace/drain.h"
#include "plugin/replace/probation.h"
#include "plugin/replace/roster.h"
#include "plugin/replace/stage.h"
#include "registry/registry.h"

namespace collet::plugin {

// The loader's thread.
class Publisher {
 public:
  // All are borrowed.
  Publisher(registry::Registry& registry, Roster& roster, Probation& probation, Drain& drain,
            const LoaderOptions& options);

  // Puts the generations into the registry in one step, and those that they replace on their way out. What turns out to
  // be no good is put on its way out itself, and its report says why.
  void publish(std::vector<Candidate*> candidates);
  // Of one that serves, and was taken out of the registry meanwhile.
  void republish(Generation& generation);

 private:
  void discard_incomplete(const std::vector<Candidate*>& candidates);
  void compare(Candidate& candidate);
  void install(Candidate& candidate, const Adoption& adoption);
  void discard(Candidate& candidate, std::string reason);
  Items::Publish publish_changes_of(Generation& generation);

  registry::Registry& registry_;
  Roster& roster_;
  Probation& probation_;
  Drain& drain_;
  const LoaderOptions& options_;
};

}  // namespace collet::plugin
