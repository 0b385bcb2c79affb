// Runs folders in the format of the official JSON-Schema-Test-Suite: groups of {schema, tests: [{data, valid}]}.
#pragma once

#include <string>
#include <vector>

#include "schema/schema.h"

namespace collet::schema {

struct SuiteOptions {
  std::string
      directory;        // the suite, its folder `tests`, a folder of one dialect in it, or any folder of such files
  std::string remotes;  // served as http://localhost:1234/; empty: the suite's own, if there
};

struct SuiteFile {
  Dialect dialect;
  std::string name;  // relative to the dialect's folder: optional/format/date.json
  unsigned passed = 0;
  unsigned failed = 0;
  std::vector<std::string> failures;  // a line each
};

struct SuiteReport {
  std::vector<SuiteFile> files;            // by dialect and name
  std::vector<std::string> other_folders;  // of dialects that are not known here, and were left out
};

// A test passes if the verdict is the expected one, and explain() gives the same one, and a reason if it is
// invalid. Under a folder `format` formats are asserted.
Result<SuiteReport> run_suite(const SuiteOptions& options);

// Counts by dialect and file, and every failure.
std::string to_text(const SuiteReport& report);

}  // namespace collet::schema
