// A private folder in which the copy of a library finds what lies around the library itself, by $ORIGIN and by its own
// path.
//
// An original at /opt/x/plugins/p.so has its place at ROOT/opt/x/plugins/p.so. Paths of originals are absolute, those of
// folders without links in them. Places are links to the originals, but for
// folders on the way to a copy, which are folders with links in them, and for the copies: of the library itself, and of
// those that it is linked with and finds by $ORIGIN. So these can be replaced and overwritten as it can.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "plugin/load/elf_file.h"
#include "plugin/load/file_stamp.h"

namespace collet::plugin {

// Copies of one private folder, by their originals, so that what has not changed is one file in all views: then the
// loader maps it once.
struct KnownCopy {
  FileStamp original;
  std::string path;
};
using KnownCopies = std::map<std::string, KnownCopy>;

class FolderView {
 public:
  // `root` is, or is to be, in an own folder, which others cannot enter; files have `file_bytes_max` at most.
  FolderView(std::string root, std::uint64_t file_bytes_max)
      : root_(std::move(root)), file_bytes_max_(file_bytes_max) {}

  std::string place_of(const std::filesystem::path& original) const { return root_ + original.string(); }

  // Whether the library can look for anything around it.
  static bool is_wanted(const ElfReport& elf);
  // Makes the root, and moves the copy of the library there, into its place.
  bool move(const std::string& copy, const std::filesystem::path& original);
  // Makes what the library, whose copy says `elf`, can look for: links to all that lies in its folder and the one above,
  // but not to `hidden`, if it asks where it lies; links to what the folders hold that its $ORIGIN leads to; copies of
  // the libraries in these that it needs, and of those that they need. Returns the places of these copies. No error:
  // what cannot be seen will be missed, or not.
  std::vector<std::string> furnish(const std::filesystem::path& original, const ElfReport& elf, KnownCopies& known,
                                   const std::set<std::string>& hidden);

  static constexpr unsigned kEntriesMax = 4'096;   // of one folder
  static constexpr unsigned kLibrariesMax = 256;   // that one needs

 private:
  void make(const std::filesystem::path& folder);
  void show(const std::filesystem::path& folder, const std::set<std::string>& hidden = {});
  bool copy(const std::filesystem::path& original);
  bool copy_known(const std::filesystem::path& original, KnownCopies& known);

  const std::string root_;
  const std::uint64_t file_bytes_max_;
};

// Copies a regular file of `size_max` bytes at most.
Result<void> copy_file(const std::string& from, const std::string& to, std::uint64_t size_max);

}  // namespace collet::plugin
