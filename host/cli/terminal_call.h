// One call from the terminal: what it says on its way goes to stderr, its result to stdout.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/output.h"
#include "service/host.h"

namespace collet::cli {

struct TerminalCall {
  std::string tool;
  std::string arguments = "{}";                   // a JSON object
  std::vector<std::string> words = {};            // for typed_arguments(), over these
  std::uint64_t timeout_ms = 0;                   // of a tool that has no deadline of its own
  std::optional<std::uint64_t> deadline_ms = {};  // in place of all others
  bool json = false;                              // the result as it is
};

// Calls a tool of the plugins that `host` has loaded, whose loop is run until the end. Returns the exit code; kUnreachable
// if there is no such tool, while remotes are down that may have it.
int call_tool(service::Host& host, const TerminalCall& call, Output& out);

}  // namespace collet::cli
