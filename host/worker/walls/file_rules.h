// What of the file system a worker may use: as Landlock is told, and as its host explains what was denied.
#pragma once

#include <string>
#include <vector>

#include "base/placement.h"

namespace collet::worker {

// A file, or a folder with all that is in it.
struct FileRule {
  std::string path;
  bool write = false;  // and not only read
  bool run = false;
  bool granted = false;  // by the configuration; else every worker has it
};

// Whether it is the folder, or in it.
bool is_beneath(const std::string& path, const std::string& folder);

// `view` is what the copy of the plugin's library lies in: of what it shows, the copies alone are readable by it.
std::vector<FileRule> file_rules(const Permissions& may, const std::string& view);

}  // namespace collet::worker
