// Remotes of another program on their way into a configuration of ours: what a person is told of them, and the
// tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "foreign/reader.h"

namespace collet::cli {

// Says one line, whatever it holds: what a person is to agree to must not be forged.
void tell(std::string_view line);

// Says what could not be kept of a file, and what has to be set in the environment.
void report(const std::string& file, const foreign::Findings& findings);
// Says what will run and be connected to.
void show(const std::vector<foreign::Remote>& remotes);
std::string tables(const std::vector<foreign::Remote>& remotes, foreign::Secrets secrets);

// The file that the tables go to, with what stands there now.
struct Target {
  std::string file;
  std::string text;
  std::vector<config::Remote> remotes;
  config::Server server;
};
// A file that is not there is an empty one.
Result<Target> open_target(const std::string& file);

// Whether it is Collet with that configuration, started or connected to where it listens: its own remote.
bool is_self(const Target& target, const foreign::Remote& remote);
// Takes these out, of what was found in `file`, and says so.
void drop_self(const Target& target, const std::string& file, std::vector<foreign::Remote>& remotes);

// Takes out the remotes whose names are there already, and says so. False if one of them is not the same there.
bool drop_known(const Target& target, std::vector<foreign::Remote>& remotes);

// What is to be added to the end for them, once it is sure that the file will be right then.
Result<std::string> addition(const Target& target, const std::vector<foreign::Remote>& remotes);

// Says so if secrets of theirs are in a file that others can read.
void warn_of_readers(const std::string& file, const std::vector<foreign::Remote>& remotes);

}  // namespace collet::cli
