// One call from the terminal: what it says on its way goes to stderr, its result to stdout.
#pragma once

#include <string>

#include "cli/host.h"

namespace collet::cli {

struct TerminalCall {
  std::string tool;
  std::string arguments = "{}";  // a JSON object
  std::uint64_t timeout_ms = 0;  // of a tool that has no deadline of its own
  int out = 1;                   // the descriptor of stdout
  bool json = false;             // the result as it is
};

// Calls a tool of the plugins that `host` has loaded, whose loop is run until the end. Returns the exit code.
int call_tool(Host& host, const TerminalCall& call);

}  // namespace collet::cli
