// Namespaces of a worker's own: of users, mounts, processes, IPC, the machine's name, and the network unless it is granted.
#pragma once

#include <string>

namespace collet::worker {

struct Namespaces {
  bool made = false;
  bool of_users = false;   // too: its host is not root, and counts nothing of this worker
  std::string unenforced;  // in words, or empty
};

// The calling process is in them from now on; in that of processes are those that it starts.
Namespaces separate(bool network);

}  // namespace collet::worker
