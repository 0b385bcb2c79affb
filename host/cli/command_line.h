// What can be said on the command line: verbs and their options.
#pragma once

namespace collet::cli {

// Runs the verb; returns the exit code.
int run_command_line(int argc, char** argv);

}  // namespace collet::cli
