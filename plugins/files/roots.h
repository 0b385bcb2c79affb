// The directories that tools may see, and the paths by which a caller names what lies in them: a root's name, then
// the path beneath it, "docs/guide/start.md".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "files/beneath.h"
#include "files/failure.h"

namespace files {

struct Root {
  std::string name;
  std::string path;
  bool writable = false;
};

// A place beneath a root. Borrows the root from its Roots.
struct Location {
  const Root* root;
  std::string relative;  // "" is the root itself; else as open_beneath() wants it

  std::string shown() const { return relative.empty() ? root->name : root->name + '/' + relative; }
  // Where `name` lies in this directory.
  Location child(std::string_view name) const;
  Location parent() const;        // `relative` is not empty
  std::string_view leaf() const;  // its last component

  // Opens it. On failure an empty Descriptor, and errno says why.
  Descriptor try_open(int flags, Links links) const;
  // Opens a directory for listing, or only to name what is in it (O_PATH).
  Descriptor open_directory(int flags) const;
  // Opens a regular file for reading. Anything else is refused before it is opened: opening a device or a FIFO may
  // already have an effect.
  Descriptor open_file() const;
};

// A path for a message, shortened if need be.
std::string in_quotes(std::string_view path);

// "cannot ACTION LOCATION: what errno means, and what to do".
Failure failed(std::string_view action, const Location& location, int error);

class Roots {
 public:
  // Throws Failure if a name is unfit for a path or used twice. A root without a name is called as its directory.
  // Nothing is opened: a directory that comes and goes is an error only while it is asked for.
  explicit Roots(std::vector<Root> roots);

  const std::vector<Root>& all() const { return roots_; }
  // Throws Failure for a path that is malformed or names no root.
  Location locate(std::string_view path) const;

 private:
  std::string names() const;

  std::vector<Root> roots_;
};

}  // namespace files
