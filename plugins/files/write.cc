#include "files/write.h"

#include <cerrno>
#include <cstdio>
#include <random>

#include <fcntl.h>
#include <sys/stat.h>

namespace files {
namespace {

constexpr mode_t kPermissions = 0777;  // what is kept: set-user-ID does not survive new content, as with write(2)
constexpr int kNameAttempts = 16;

// A new file without a final name; gone again unless it is kept.
class Draft {
 public:
  Draft(int directory, const Location& location) : directory_(directory), location_(location) {
    std::random_device random;
    for (int attempt = 0; attempt < kNameAttempts && !file_; ++attempt) {
      name_ = ".collet-" + std::to_string(random()) + ".tmp";
      file_ = Descriptor(
          ::openat(directory_, name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
      if (!file_ && errno != EEXIST) break;
    }
    if (!file_) throw failed("write", location_, errno);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() {
    if (!name_.empty()) ::unlinkat(directory_, name_.c_str(), 0);
  }

  void fill(std::string_view content) {
    if (!collet::kit::write_all(file_.get(), content)) throw failed("write", location_, errno);
  }

  void take_permissions_of(const struct stat& old) {
    if (::fchmod(file_.get(), old.st_mode & kPermissions) != 0)
      throw failed("keep the permissions of", location_, errno);
  }

  void keep_as(const std::string& name, bool overwrite) {
    if (::fsync(file_.get()) != 0) throw failed("write", location_, errno);
    const unsigned flags = overwrite ? 0 : RENAME_NOREPLACE;
    if (::renameat2(directory_, name_.c_str(), directory_, name.c_str(), flags) != 0) {
      throw failed("write", location_, errno);
    }
    name_.clear();
    ::fsync(directory_);  // past the rename there is nothing left to undo
  }

 private:
  const int directory_;
  const Location& location_;
  std::string name_;
  Descriptor file_;
};

// Opens the directory, creating what is missing on the way.
Descriptor open_or_create(const Location& directory) {
  Descriptor found = directory.try_open(O_RDONLY | O_DIRECTORY, Links::inside);
  if (found) return found;
  if (errno != ENOENT || directory.relative.empty()) throw failed("open directory", directory, errno);
  const Descriptor above = open_or_create(directory.parent());
  const std::string name(directory.leaf());
  if (::mkdirat(above.get(), name.c_str(), 0777) != 0 && errno != EEXIST) {
    throw failed("create directory", directory, errno);
  }
  return directory.open_directory(O_RDONLY);
}

}  // namespace

void write_file(const Location& location, std::string_view content, const WriteOptions& options) {
  if (!location.root->writable) {
    throw Failure("root " + in_quotes(location.root->name) +
                  " is read-only; its configuration would need writable = true");
  }
  if (location.relative.empty())
    throw Failure(in_quotes(location.shown()) + " is a directory: add the name of a file");
  const Location parent = location.parent();
  const Descriptor directory = options.create_parents ? open_or_create(parent) : parent.open_directory(O_RDONLY);
  const std::string name(location.leaf());

  struct stat old;
  const bool exists = ::fstatat(directory.get(), name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0;
  if (!exists && errno != ENOENT) throw failed("write", location, errno);
  if (exists && S_ISDIR(old.st_mode)) throw Failure(in_quotes(location.shown()) + " is a directory");
  if (exists && !S_ISREG(old.st_mode)) {
    throw Failure(in_quotes(location.shown()) + " is a link or a device; only a regular file can be replaced");
  }
  if (exists && !options.overwrite) {
    throw Failure(in_quotes(location.shown()) + " exists already: pass overwrite = true to replace it");
  }

  Draft draft(directory.get(), location);
  draft.fill(content);
  if (exists) draft.take_permissions_of(old);
  draft.keep_as(name, options.overwrite);
}

}  // namespace files
