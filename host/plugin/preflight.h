// Trial loading in a throw-away process: what a library does to that one it cannot do to the host.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"

namespace collet::plugin {

// The verb under which the host's executable runs preflight_main().
inline constexpr const char* kPreflightVerb = "__preflight";

struct PreflightFile {
  std::string path;    // a private copy
  std::string config;  // JSON object for create()
};

class Preflight {
 public:
  // `executable` is run as `executable __preflight` and must call preflight_main() then.
  explicit Preflight(std::string executable, std::uint64_t timeout_ms = limits::kPreflightTimeoutMs)
      : executable_(std::move(executable)), timeout_ms_(timeout_ms) {}

  // Loads each file, calls its entry, create() with COLLET_CREATE_PROBE, and destroy(). One child does them all; if
  // it dies or hangs over one, the reason is that file's, and another child goes on with the next. Blocks.
  std::vector<Result<void>> run(const std::vector<PreflightFile>& files) const;

 private:
  const std::string executable_;
  const std::uint64_t timeout_ms_;  // a file
};

// The child: reads what to try from stdin, reports on descriptor 3. Returns the process's exit code.
int preflight_main(int argc, char** argv);

}  // namespace collet::plugin
