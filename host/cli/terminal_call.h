// One call from the terminal: what it says on its way goes to stderr, its result to stdout.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/call_result.h"
#include "cli/output.h"
#include "service/host.h"

namespace collet::cli {

struct TerminalCall {
  registry::CallKind kind = registry::CallKind::tool;
  registry::Kind completed = registry::Kind::prompt;  // of a completion: what it is asked of
  std::string name;                               // or URI
  std::string arguments = "{}";                   // of a tool: a JSON object
  std::vector<std::string> words = {};            // for call_arguments()
  std::uint64_t timeout_ms = 0;                   // of an item that has no deadline of its own
  std::optional<std::uint64_t> deadline_ms = {};  // in place of all others
  ResultForm form = {};
};

// Makes the call, at the plugins that `host` has loaded, whose loop is run until the end. Returns the exit code; kUnreachable
// if there is no such item, while remotes are down that may have it.
int make_call(service::Host& host, const TerminalCall& call, Output& out);

}  // namespace collet::cli
