// From library files to items in the registry, and back.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "plugin/elf_file.h"
#include "plugin/generation.h"
#include "plugin/private_dir.h"
#include "registry/registry.h"

namespace collet::plugin {

enum class Placement : std::uint8_t { automatic, in_process, worker };

// A plugin to be loaded, as the configuration describes it.
struct PluginSpec {
  std::string id;  // of [plugin.<id>]; the registry's source
  std::string library;
  std::string config = "{}";  // JSON object
  registry::NameRules rules;
  CallRules calls = {};
  Placement placement = Placement::automatic;
};

// What became of it.
struct LoadReport {
  std::string id;
  std::string library;
  std::string error;  // empty: it serves
  std::vector<std::string> warnings;
  std::string plugin_id;
  std::string version;
  std::size_t items = 0;
  bool ok() const { return error.empty(); }
};

struct LoaderOptions {
  std::string private_folder;  // parent of the folder for copies; empty: PrivateDir's default
  std::string preflight_executable = "/proc/self/exe";  // empty: no trial loading
  std::uint64_t preflight_timeout_ms = limits::kPreflightTimeoutMs;
  std::uint64_t create_timeout_ms = limits::kCreateTimeoutMs;
  std::uint64_t file_bytes_max = limits::kPluginFileBytesMax;
  bool never_unload = false;  // for leak checkers, which need the libraries' symbols at the end
  // Any thread: a plugin says that what is read at `uri` has changed.
  std::function<void(std::string_view id, std::string_view uri)> resource_updated;
};

// For `collet list`.
struct PluginStatus {
  std::string id;
  std::string plugin_id;
  std::string version;
  Placement placement = Placement::in_process;
  std::size_t items = 0;
  unsigned calls_in_flight = 0;
  bool runs_inline = false;  // NONBLOCKING items may run on loops
};

// Belongs to one thread, which is no loop's. Destroyed after the loops have ended.
class Loader {
 public:
  // Loops and registry are borrowed and outlive this; a call's loop is its index here.
  Loader(std::vector<loop::Loop*> loops, registry::Registry& registry, LoaderOptions options = {});
  ~Loader();  // shuts down, as for loops that have ended, if that was not done
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // Loads what can be loaded and publishes it; blocks, before the loops run or while they do. Clashes of names are
  // decided by the order of the specs. Once, or again with specs of other ids.
  std::vector<LoadReport> load(std::vector<PluginSpec> specs);

  std::vector<PluginStatus> status() const;

  // What the plugin says of its health, a JSON object; empty if it says nothing, or there is no such plugin.
  std::string health(std::string_view id) const;
  // [any] Tells the plugins that a client watches the resource, or none does any more.
  void watch(std::string_view uri, bool watched) const;

  // [loop] Asks every running call of that loop to end, as a prelude to shutdown().
  void cancel_calls(unsigned loop);

  enum class Loops : std::uint8_t {
    running,  // in other threads: calls end, and their listeners are told
    ended,    // or not begun: nobody listens any more, calls that still run end silently
  };
  // Takes every plugin out of the registry and unloads it. Returns what did not end in time, in words: if there is
  // any, it is left alone, and the process must end by _exit(), without destructors of static objects.
  std::vector<std::string> shutdown(std::uint64_t deadline_ms, Loops loops);

 private:
  struct Candidate;
  void check_file(Candidate& candidate);
  void preflight(std::vector<Candidate>& candidates);
  void open(std::vector<Candidate>& candidates);
  void publish(Candidate& candidate);

  registry::Registry& registry_;
  const LoaderOptions options_;
  // Owned through pointers so that they can be left behind with a plugin that does not return.
  std::unique_ptr<CallTable> calls_;
  std::unique_ptr<PrivateDir> folder_;
  std::vector<std::string> declared_;
  std::vector<std::unique_ptr<Generation>> generations_;
  // Unloaded, kept for their counts, which loops still take down.
  std::vector<std::unique_ptr<Generation>> closed_;
};

// The *.so files of the folders, sorted by name within each, later folders behind earlier ones.
std::vector<Result<std::string>> discover(const std::vector<std::string>& folders);

}  // namespace collet::plugin
