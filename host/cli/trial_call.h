// A call through Collet as a client would start it, which shows that it works.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/output.h"

namespace collet::cli {

struct TrialCall {
  std::vector<std::string> words;  // the command line that serves stdin and stdout
  std::string tool;                // empty: one that changes nothing, and can be called by what is known of it
  std::string arguments = "{}";    // a JSON object, of `tool`
  std::optional<std::uint64_t> deadline_ms = {};  // for the server to start, and for the call
};

// Starts the command, says how many tools it has and prints what one of them answers. Returns the exit code:
// kUnreachable if there is no answer, kOk if it has none that could be called.
int trial_call(const TrialCall& trial, Output& out);

}  // namespace collet::cli
