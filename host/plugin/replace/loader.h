// From library files to items in the registry, and back: the plugins of the host over all their generations.
//
// A plugin is replaced by staging a new generation while the old one serves, publishing it in one step, and letting
// the old one end when its last call has. What fails on the way leaves the old one serving and is said in the
// report and in status().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plugin/replace/drain.h"
#include "plugin/replace/exclusive_replacement.h"
#include "plugin/replace/probation.h"
#include "plugin/replace/publisher.h"
#include "plugin/replace/roster.h"
#include "plugin/replace/stage.h"
#include "registry/registry.h"

namespace collet::plugin {

// Belongs to one thread at a time, which is no loop's, except where it says [any]. Destroyed after the loops have
// ended.
class Loader {
 public:
  // Loops and registry are borrowed and outlive this; a call's loop is its index here. The first libraries are tried by `trials`, if
  // it is there.
  Loader(std::vector<loop::Loop*> loops, registry::Registry& registry, LoaderOptions options = {},
         std::unique_ptr<TrialParent> trials = nullptr);
  ~Loader();  // shuts down, as for loops that have ended, if that was not done
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // Loads what can be loaded and publishes it; blocks, before the loops run or while they do. Clashes of names are
  // decided by the order of the specs. Once, or again with specs of other ids, which come behind.
  std::vector<LoadReport> load(std::vector<PluginSpec> specs);

  // From now on these are the plugins, in this order. What is new is loaded, what is gone is taken out, what has
  // changed, specs and files, is changed or replaced; nothing else is touched. What has failed before, and has not
  // changed since, is tried again if `also_failed`. A report for each that is touched. The specs have different
  // ids.
  std::vector<LoadReport> apply(std::vector<PluginSpec> specs, bool also_failed, ItemsMay items_may = ItemsMay::not_go);
  // Replaces that plugin, whether anything has changed or not.
  LoadReport reload(const std::string& id, ItemsMay items_may = ItemsMay::not_go);
  // Gives a plugin whose generation of that number is on probation the one that it had before.
  std::vector<LoadReport> roll_back(const std::string& id, std::uint64_t generation);

  // [any]
  std::vector<PluginStatus> status() const { return roster_.status(); }
  // Plugins of which no generation serves, or one that has been given up.
  std::size_t count_missing() const { return roster_.count_missing(); }
  std::vector<Draining> draining() const { return drain_->draining(); }
  std::vector<LeftBehind> left_behind() const { return drain_->left_behind(); }
  // [any] Tells the plugins that a client watches the resource, or none does any more; also those to come.
  void watch(std::string_view uri, bool watched) { roster_.watch(uri, watched); }
  // [any] What the plugin says of its health, a JSON object; empty if it says nothing, or does not serve.
  std::string health(std::string_view id) const { return roster_.health(id); }
  // [any] The plugin that imports from remotes, or empty.
  std::string importer() const { return roster_.importer(); }
  // [any] What the plugins that serve, and of which this is true, tell clients, in the order of their declaration, with
  // empty lines between.
  std::string instructions(const std::function<bool(std::string_view id)>& is_shown) const {
    return roster_.instructions(is_shown);
  }

  enum class Loops : std::uint8_t {
    running,  // in other threads: calls end, and their listeners are told
    ended,    // or not begun: nobody listens any more, calls that still run end silently
  };
  // Takes every plugin out of the registry and unloads it; nothing is loaded after that. Returns what did not end in
  // time, in words: if there is any, it is left alone, and the process must end by _exit(), without destructors of
  // static objects.
  std::vector<std::string> shutdown(std::uint64_t deadline_ms, Loops loops);
  std::vector<std::string> shutdown(const Patience& patience, Loops loops);  // of each generation
  // Any thread, before the process ends by _exit(): removes the copies of libraries.
  void remove_copies() const { stage_.remove_copies(); }

 private:
  using Candidates = std::vector<std::unique_ptr<Candidate>>;

  void add(Candidates& candidates, KnownPlugin& plugin, bool unless_same, ItemsMay items_may);
  bool adjust(KnownPlugin& plugin, const PluginSpec& wanted, bool also_failed, LoadReport& report);
  std::vector<LoadReport> replace(Candidates& candidates);
  void retire_all(Roster::Plugins gone, std::vector<LoadReport>& reports);
  void end_probations();  // whose time is over

  registry::Registry& registry_;
  const LoaderOptions options_;
  // Owned through pointers so that they can be left behind with a plugin that does not return.
  std::unique_ptr<CallTable> calls_;
  std::unique_ptr<Invocations> invocations_;
  std::unique_ptr<FetchLanes> fetches_;
  std::unique_ptr<Drain> drain_;  // shutdown() may put an empty one here, which publisher_ and exclusive_ do not know
  Stage stage_;
  Roster roster_;
  Probation probation_;
  Publisher publisher_;
  ExclusiveReplacement exclusive_;
};

// The *.so files of the folders, sorted by name within each, later folders behind earlier ones.
std::vector<Result<std::string>> discover(const std::vector<std::string>& folders);

}  // namespace collet::plugin
