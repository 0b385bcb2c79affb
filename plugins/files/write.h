// Replacing a file so that at every moment, also after a crash or on a full disk, either the old or the new content
// is there, whole.
#pragma once

#include <string_view>

#include "files/roots.h"

namespace files {

struct WriteOptions {
  bool overwrite = false;       // else an existing file is a Failure
  bool create_parents = false;  // else a missing directory is a Failure
};

// Writes a temporary file beside `location`, syncs it, and renames it into place. An existing file keeps its
// permissions; only a regular file is replaced. Throws Failure.
void write_file(const Location& location, std::string_view content, const WriteOptions& options);

}  // namespace files
