// What a call has given, as a person at a terminal or a program behind a pipe is shown it.
#pragma once

#include <string>

#include "cli/output.h"
#include "registry/item.h"

namespace collet::cli {

struct ResultForm {
  bool json = false;  // the result as it is
  std::string file;   // what is no text goes there, too or instead; empty: nowhere. As SavedContents names it
};

// - Of a tool: its texts, one a line or more.
// - Of a resource: its texts and bytes exactly as they are; on a terminal a line that tells of bytes.
// - Of a prompt: its messages, each behind its role.
// - Of a completion: its values, one a line.
// Returns the exit code: kToolError if that is what was completed.
int print_result(registry::CallKind kind, const registry::Ending& completed, const ResultForm& form, Output& out);

}  // namespace collet::cli
