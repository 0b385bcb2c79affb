// A folder of this process alone, for the copies of libraries that it has loaded.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "plugin/load/folder_view.h"

namespace collet::plugin {

// A copy of a library, removed with this object, as is the view of the library's folder in which it may lie.
class PrivateFile {
 public:
  PrivateFile() = default;
  explicit PrivateFile(std::string path, std::string view = {})
      : path_(std::move(path)), view_(view.empty() ? path_ : std::move(view)), owned_(true) {}
  // A file that belongs to somebody else.
  static PrivateFile borrowed(std::string path) {
    PrivateFile file(std::move(path));
    file.keep();
    return file;
  }
  PrivateFile(PrivateFile&& other) noexcept
      : path_(std::move(other.path_)), view_(std::move(other.view_)), owned_(std::exchange(other.owned_, false)) {}
  PrivateFile& operator=(PrivateFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(view_, other.view_);
    std::swap(owned_, other.owned_);
    return *this;
  }
  ~PrivateFile();

  const std::string& path() const { return path_; }
  // The root of the view, see folder_view.h; the path if there is none.
  const std::string& view() const { return view_; }
  bool has_view() const { return view_ != path_; }
  // Leaves all where it is, for as long as the private folder exists.
  void keep() { owned_ = false; }

 private:
  std::string path_;
  std::string view_;
  bool owned_ = false;
};

class PrivateDir {
 public:
  // `parent`/<pid>, mode 0700, locked for this process's life. Folders of processes that are gone are removed.
  // An empty parent: $XDG_RUNTIME_DIR/collet, $TMPDIR/collet-<uid>, or the latter in /tmp or /var/tmp, whichever allows
  // code to be mapped first. Where somebody else has the name, one with a name of its own.
  static Result<PrivateDir> create(const std::string& parent = {});

  PrivateDir(PrivateDir&& other) noexcept : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)), known_(std::move(other.known_)) {}
  PrivateDir& operator=(PrivateDir&&) = delete;
  ~PrivateDir();  // with all that is in it

  const std::string& path() const { return path_; }
  // Copies a regular file under a name that this process has never used; `size_max` bytes at most. A copy of one of
  // these copies gets what is in that one's view.
  Result<PrivateFile> copy(const std::string& path, std::uint64_t size_max);
  // If the library of the copy, whose original is `original` and which says `elf` of itself, can look for anything
  // around it, the copy is moved to a view: FolderView::furnish(), whose result it is.
  std::vector<std::string> furnish(PrivateFile& file, const std::string& original, const ElfReport& elf,
                                   std::uint64_t size_max, const std::set<std::string>& hidden);
  // Another name, never used before, for a file of this folder, with what is in its view.
  Result<PrivateFile> link(const std::string& path);

 private:
  std::string unused_path(const std::string& like) const;
  std::string view_of(const std::string& path) const;

  PrivateDir(std::string path, Descriptor lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  Descriptor lock_;  // of the folder
  KnownCopies known_;
};

}  // namespace collet::plugin
