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
};

// `library` is the plugin's.
std::vector<FileRule> file_rules(const Permissions& may, const std::string& library);

}  // namespace collet::worker
