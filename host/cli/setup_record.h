// What `collet setup` has written, so that it can be taken back.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "foreign/file_change.h"

namespace collet::cli {

struct SetupStep {
  std::string client;  // empty: Collet's own configuration
  foreign::FileChange change;
  bool is_pending = false;  // it is about to be made; a process that is killed then leaves it so
};

// A file of this person's, ${XDG_STATE_HOME:-~/.local/state}/collet/setup.json, that nobody else can read: it
// repeats what was imported. What is changed while SetupLock has its lock_file() is on the disk when a call returns.
class SetupRecord {
 public:
  SetupRecord();
  explicit SetupRecord(std::filesystem::path file) : file_(std::move(file)) {}

  const std::filesystem::path& file() const { return file_; }
  std::filesystem::path lock_file() const { return file_.parent_path() / "setup.lock"; }
  // Those that were not taken back, oldest first; none if there is no file.
  Result<std::vector<SetupStep>> read() const;
  // The same, once it is found out what became of those that were about to be made, and what a killed process has
  // left is removed. None is pending then.
  Result<std::vector<SetupStep>> settle() const;
  // Replaces them; removes the file if there are none.
  Result<void> write(const std::vector<SetupStep>& steps) const;

 private:
  std::filesystem::path draft() const { return file_.string() + ".new"; }

  std::filesystem::path file_;
};

// Takes all of it back, and says of each file what became of it. Returns the exit code: kPartly if a file could not
// be written; its step stays in the record.
int roll_back(const SetupRecord& record, bool dry_run);

}  // namespace collet::cli
