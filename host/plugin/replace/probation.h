// The time after a plugin was replaced, in which it can be given back what it was before.
#pragma once

#include <optional>
#include <string>

#include "plugin/replace/known_plugin.h"
#include "plugin/replace/stage.h"

namespace collet::plugin {

// When the probation of any plugin begins and ends; the plugin itself has what it was before. The loader's thread.
class Probation {
 public:
  // Both are borrowed.
  Probation(Stage& stage, const LoaderOptions& options) : stage_(stage), options_(options) {}

  // What brings back the generation that serves, if the one that replaces it now is given up in time. Nothing if no copy
  // of its library can be kept, which the log says.
  std::optional<Former> keep(const KnownPlugin& plugin) const;
  Former keep(PluginSpec spec, PrivateFile file) const;
  // Puts the current generation on probation, if the plugin has a former one: when it makes too many errors of its own
  // LoaderOptions::given_up is told.
  void begin(const KnownPlugin& plugin) const;
  // Forgets the former one if the time is over.
  void end_if_over(KnownPlugin& plugin) const;
  // Takes the former one, if the generation of that number serves and is on probation: it has been given up.
  std::optional<Former> give_up(KnownPlugin& plugin, std::uint64_t generation) const;
  // Why it has been, and what became of the former one, for people to read.
  std::string describe(std::uint64_t generation, const LoadReport& former) const;

 private:
  Stage& stage_;
  const LoaderOptions& options_;
};

}  // namespace collet::plugin
