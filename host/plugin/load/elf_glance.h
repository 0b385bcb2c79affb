// What can be told of an ELF file that is not ours, and that somebody may just write: it is never mapped.
#pragma once

#include <string>

namespace collet::plugin {

// Whether the file at `path` is empty, or an ELF file that is shorter than its header says: somebody still writes
// it.
bool is_cut_off(const std::string& path);

// Whether the file at `path` is certainly a library for this machine that does not export a plugin's entry, such as one
// that a plugin beside it is linked with.
bool is_other_library(const std::string& path);

// Whether the file at `path` is a library for this machine that says that it imports from remotes (collet/ext/draft/remotes.h).
bool imports_remotes(const std::string& path);

}  // namespace collet::plugin
