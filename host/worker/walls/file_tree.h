// A file system of a worker's own: an empty one that shows what its rules name, each at its own path, and nothing else.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "worker/walls/file_rules.h"

namespace collet::worker {

struct FileTree {
  bool made = false;
  bool owned = false;      // what is granted is `user`'s
  std::string not_owned;   // why it cannot be, if that was tried
  std::string unenforced;  // in words, or empty
};

// The calling process, in a namespace of mounts of its own, sees this alone from now on, and a /proc of the namespace of
// processes that it is in. With `user`, which is who it is going to be, whoever owns a granted file or folder is seen as
// that user, who so has its owner's rights there; what it makes there is the owner's. The folder `hidden` is empty but for
// what the rules name in it, though it lie in what is granted.
FileTree enter_file_tree(const std::vector<FileRule>& rules, const std::string& hidden, std::optional<uid_t> user);

}  // namespace collet::worker
