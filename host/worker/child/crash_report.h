// A worker's last words: where it was when it crashed.
#pragma once

#include <string>

namespace collet::worker {

// From now on a crash writes the call stack of its thread to stderr before it ends the process as it would have.
// `plugin` is its name in the configuration.
void report_crashes(const std::string& plugin);

}  // namespace collet::worker
