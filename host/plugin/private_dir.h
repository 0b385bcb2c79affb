// A folder of this process alone, for the copies of libraries that it has loaded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "plugin/descriptor.h"

namespace collet::plugin {

// A copy of a library, removed with this object.
class PrivateFile {
 public:
  PrivateFile() = default;
  explicit PrivateFile(std::string path) : path_(std::move(path)), owned_(true) {}
  // A file that belongs to somebody else.
  static PrivateFile borrowed(std::string path) {
    PrivateFile file(std::move(path));
    file.keep();
    return file;
  }
  PrivateFile(PrivateFile&& other) noexcept
      : path_(std::move(other.path_)), owned_(std::exchange(other.owned_, false)) {}
  PrivateFile& operator=(PrivateFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(owned_, other.owned_);
    return *this;
  }
  ~PrivateFile();

  const std::string& path() const { return path_; }
  // Leaves the file where it is, for as long as its folder exists.
  void keep() { owned_ = false; }

 private:
  std::string path_;
  bool owned_ = false;
};

class PrivateDir {
 public:
  // `parent`/<pid>, mode 0700, locked for this process's life. Folders of processes that are gone are removed.
  // An empty parent: $XDG_RUNTIME_DIR/collet, or $TMPDIR/collet-<uid>, whichever allows code to be mapped.
  static Result<PrivateDir> create(const std::string& parent = {});

  PrivateDir(PrivateDir&& other) noexcept : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
  PrivateDir& operator=(PrivateDir&&) = delete;
  ~PrivateDir();  // with all that is in it

  const std::string& path() const { return path_; }
  // Copies a regular file under a name that this process has never used; `size_max` bytes at most.
  Result<PrivateFile> copy(const std::string& path, std::uint64_t size_max);
  // Another name, never used before, for a file of this folder.
  Result<PrivateFile> link(const std::string& path);

 private:
  std::string unused_path(const std::string& like) const;

  PrivateDir(std::string path, Descriptor lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  Descriptor lock_;  // of the folder
};

}  // namespace collet::plugin
