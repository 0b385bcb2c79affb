// Trial loading in a throw-away process: what a library does to that one it cannot do to the host.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "plugin/load/trial_parent.h"

namespace collet::plugin {

// The verb under which the host's executable runs preflight_main().
inline constexpr const char* kPreflightVerb = "__preflight";

struct PreflightFile {
  std::string path;    // a private copy
  std::string config;  // JSON object for create()
  std::string config_places = {};  // where that stands: a text of ConfigPlaces
  std::string library = {};        // of which the file is a copy
  std::string view = {};           // the root of what the copy lies in
};

// What became of it.
struct Tried : Result<void> {
  std::string info;  // what the plugin says of itself, a JSON object; empty if it did not come to say it
  std::vector<std::string> place = {};  // where it ended the trial's process, as crash::describe() has it; empty if it has not
};

class Preflight {
 public:
  // `executable` is run as `executable __preflight` and must call preflight_main() then.
  // For the first run `parent` is used, if there is one; it ends with that.
  explicit Preflight(std::string executable, std::uint64_t timeout_ms = limits::kPreflightTimeoutMs,
                     std::unique_ptr<TrialParent> parent = nullptr);
  ~Preflight();

  // Loads each file, calls its entry, checks its config, and calls create() with COLLET_CREATE_PROBE, and destroy(). One child does them all; if
  // it dies or hangs over one, the reason is that file's, and another child goes on with the next. Blocks.
  std::vector<Tried> run(const std::vector<PreflightFile>& files);

 private:
  Result<Descriptor> begin(const Descriptor& request);

  const std::string executable_;
  const std::uint64_t timeout_ms_;  // a file
  bool ran_before_ = false;
  // From the second run on it stays: who has replaced plugins once will do it again.
  std::unique_ptr<TrialParent> parent_;
};

// The parent of trials, until the host lets go of it.
int preflight_main(int argc, char** argv);

}  // namespace collet::plugin
