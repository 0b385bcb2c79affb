// A system call that is being asked about, of a process that may change under our eyes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "worker/walls/file_rules.h"

namespace collet::worker {

// What calls on paths would do.
struct PathUse {
  const char* name = "";  // of the call
  std::string path;       // absolute, with what links in it lead to; empty: it cannot be told
  bool write = false;
  bool exists = true;  // else its folder is what counts
};

struct AskedCall {
  pid_t thread = 0;
  int number = 0;
  const unsigned long long* arguments = nullptr;  // six

  // Copies from the process; false if not all of it is there.
  bool read(std::uint64_t at, void* to, std::size_t size) const;
  // Nothing if it is none that a rule for files is about. More than one for those that take two paths.
  std::vector<PathUse> path_uses() const;
  // A copy of a descriptor of the process; none: it has no such.
  Descriptor descriptor(std::uint64_t which) const;
  pid_t process() const;  // which the thread belongs to; 0: it is gone
  // A path of the process as it sees it, of one that /proc has: below chroot() that shows more.
  std::string as_seen(const std::string& path) const;

 private:
  enum class Link : std::uint8_t { followed, itself };  // the last one of a path

  std::string read_path(std::uint64_t at) const;
  PathUse use(const char* name, int folder, std::uint64_t path, bool write, Link last = Link::itself) const;
};

// Whether the rules, whose paths have no links in them, allow it.
bool allows(const std::vector<FileRule>& rules, const PathUse& use);

}  // namespace collet::worker
