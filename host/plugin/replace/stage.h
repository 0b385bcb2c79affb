// From a library file to a generation that could serve: copied, read, tried in a child process, loaded, created.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/config_places.h"
#include "base/limits.h"
#include "base/placement.h"
#include "plugin/load/file_stamp.h"
#include "plugin/load/preflight.h"
#include "plugin/load/private_dir.h"
#include "plugin/replace/item_changes.h"
#include "plugin/run/fetch_lanes.h"
#include "plugin/run/generation.h"
#include "plugin/run/invocations.h"
#include "registry/names.h"
#include "registry/sealed_state.h"
#include "store/records.h"
#include "store/streams.h"

namespace collet::plugin {

// A plugin to be loaded, as the configuration describes it.
struct PluginSpec {
  std::string id;  // of [plugin.<id>]; the registry's source
  std::string library;
  std::string config = "{}";  // JSON object
  ConfigPlaces config_places = {};  // where that stands
  registry::NameRules rules;
  CallRules calls = {};
  Placement placement = Placement::automatic;
  Permissions permissions = {};  // in a worker
  std::uint64_t drain_timeout_ms = limits::kPluginDrainTimeoutMs;
  bool allow_writable_by_others = false;  // see file_trust.h
  bool imports_remotes = false;           // see collet/ext/draft/remotes.h

  bool operator==(const PluginSpec&) const = default;
};

// What became of it.
struct LoadReport {
  std::string id;
  std::string library;
  enum class Done : std::uint8_t {
    unchanged,
    loaded,
    replaced,
    adjusted,      // by name rules and deadlines
    reconfigured,  // the plugin has taken its new config
    removed,
    failed,
  } done = Done::loaded;
  std::string error;  // empty: it serves
  std::vector<std::string> place;  // where it ended its process, as crash::describe() has it
  bool busy = false;  // an error that goes away by itself
  std::vector<std::string> warnings;
  std::string plugin_id;
  std::string version;
  std::string info;  // what the plugin says of itself, a JSON object, also if it does not serve; empty if it has said nothing
  std::uint64_t generation = 0;
  std::size_t items = 0;
  ItemChanges changes;  // beside the generation before; also of one that is refused for them
  bool ok() const { return error.empty(); }
};

// The keys of the plugin's table that name an item which it does not offer, each as a warning.
std::vector<std::string> idle_rules(const PluginSpec& spec, const Items& items);

// A plugin that is to be hosted by a worker process.
struct WorkerOrder {
  std::string name;  // of the plugin in the configuration
  std::string library;  // of which this is a copy
  PrivateFile file;
  std::string config;  // JSON object
  std::string config_places = {};  // where that stands: a text of ConfigPlaces
  std::uint64_t number = 1;
  std::optional<SavedState> prior;
  Permissions permissions;
};

struct LoaderOptions {
  std::string private_folder;  // parent of the folder for copies; empty: PrivateDir's default
  std::string preflight_executable = "/proc/self/exe";  // empty: no trial loading
  std::uint64_t preflight_timeout_ms = limits::kPreflightTimeoutMs;
  std::uint64_t create_timeout_ms = limits::kCreateTimeoutMs;
  std::uint64_t save_timeout_ms = limits::kSaveTimeoutMs;
  std::uint64_t cancel_grace_ms = limits::kCancelGraceMs;        // of a generation that is replaced
  std::uint64_t destroy_timeout_ms = limits::kDestroyTimeoutMs;  // likewise
  std::uint64_t probation_ms = limits::kProbationMs;
  std::uint64_t file_bytes_max = limits::kPluginFileBytesMax;
  std::vector<registry::StateSealer::Key> state_keys;  // that calls which plugins make are sealed with, while they are suspended
  fetch::EngineOptions fetch = {};  // how plugins are clients of HTTP
  bool debug = false;         // what the host refuses of plugins is said in the log
  bool never_unload = false;  // for leak checkers, which need the libraries' symbols at the end
  // What plugins keep; borrowed, and outlive the loader. Null: they keep nothing.
  store::Records* records = nullptr;
  store::Streams* streams = nullptr;
  // Hosts a plugin in a process of its own; empty: there are no workers.
  std::function<std::unique_ptr<Image>(WorkerOrder order)> make_worker;
  // Any thread: a plugin says that what is read at `uri` has changed.
  std::function<void(std::string_view id, std::string_view uri)> resource_updated;
  // Any thread, must not block: what a plugin says of its health has changed.
  std::function<void()> status_changed;
  // Any thread, must not block: a plugin is to be given back its generation before: Loader::roll_back().
  std::function<void(std::string id, std::uint64_t generation)> given_up;

  // How long a generation that is replaced may take to end.
  Patience patience(std::uint64_t drain_timeout_ms) const;
};

// Whether a plugin may take away what it offered before, whatever its version says.
enum class ItemsMay : std::uint8_t { not_go, go };

// What served before a candidate.
struct Predecessor {
  std::string version;
  std::vector<OfferedItem> items;
};

// A spec on its way to a generation. An error in the report stops it.
struct Candidate {
  PluginSpec spec;
  std::string file_to_load;    // the library, or a copy of what it was before
  std::string unless_same_as;  // if the file has the same bytes as this one, there is nothing to do
  std::uint64_t number = 0;    // of the generation
  std::optional<SavedState> prior;
  bool returns = false;  // it served before, and needs no probation
  bool careful = true;   // it is no good if an item is left out that was served before
  std::optional<Predecessor> before;  // whose items it is held against
  bool may_lose_items = false;        // whatever its version says
  LoadReport report;
  PrivateFile file;
  std::vector<std::string> needed;  // copies of the libraries beside it that it is linked with
  ElfReport elf;
  bool worker = false;  // it gets a process of its own
  std::unique_ptr<Generation> generation;

  explicit Candidate(PluginSpec given);
  // Whether it is on its way still.
  bool ok() const { return report.ok() && report.done != LoadReport::Done::unchanged; }
  void reject(std::string reason);
};

class Stage {
 public:
  // Takes one that does not return from create(): it must be left alone.
  using Stuck = std::function<void(std::unique_ptr<Generation> generation, std::string reason)>;

  // All but `stuck` are borrowed.
  Stage(CallTable& calls, Invocations& invocations, FetchLanes& fetches, const LoaderOptions& options, Stuck stuck,
        std::unique_ptr<TrialParent> trials);

  // Copies each file, reads it, tries it, all in one child if they let it.
  void check(std::vector<Candidate*> candidates);
  // What the generation before has to hand over; one that fails to stops the candidate.
  void take_state(Candidate& candidate, Generation& before) const;
  // Loads and creates those that are good so far, side by side.
  void open(std::vector<Candidate*> candidates);

  // Another name for the copy of a generation's library, which outlives it.
  Result<PrivateFile> keep(const std::string& file);
  // Any thread. Removes all copies, of a process that leaves without destructors: what is mapped stays mapped.
  void remove_copies() const;

 private:
  void check_file(Candidate& candidate);
  void place(Candidate& candidate);
  std::string find_taken_name(const Candidate& candidate) const;
  void claim(const Candidate& candidate);
  void forget_unmapped();
  void preflight(std::vector<Candidate*> candidates);
  GenerationSpec generation_spec(Candidate& candidate) const;
  std::unique_ptr<Image> make_image(Candidate& candidate) const;

  CallTable& calls_;
  Invocations& invocations_;
  FetchLanes& fetches_;
  const LoaderOptions& options_;
  const Stuck stuck_;
  Preflight preflight_;
  mutable std::mutex folder_mutex_;
  std::unique_ptr<PrivateDir> folder_;  // set under it
  std::set<std::string> libraries_;     // of all plugins so far, which need not see each other
  // Copies of libraries that plugins of this process are linked with: mapped, or about to be.
  std::map<std::string, FileStamp> claimed_;
};

}  // namespace collet::plugin
