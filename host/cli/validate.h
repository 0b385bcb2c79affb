// `collet validate SCHEMA INSTANCE` and `collet validate --suite DIR`.
#pragma once

#include <string>

namespace collet::cli {

struct ValidateOptions {
  std::string schema;    // file
  std::string instance;  // file, "-" for standard input
  bool assert_formats = false;
  std::string suite;    // folder, instead of the two files
  std::string remotes;  // folder
};

// Prints to stdout and gives the exit code: 0 valid, 5 invalid, 1 if the schema is bad or a file cannot be read. Of
// a suite: 0 if every test passes, else 5.
int run_validate(const ValidateOptions& options);

}  // namespace collet::cli
