#include "client/net/private_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace collet::client {
namespace {

using kit::Descriptor;

Error failed(const char* action, const std::string& path, int error) {
  return {std::string(action) + " " + path + ": " + std::strerror(error)};
}

// Nothing if errno is ENOENT.
Result<std::optional<std::string>> read_bytes(const std::string& path, std::size_t bytes_max, bool is_private) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT) return std::optional<std::string>();
  struct stat info;
  if (!file || ::fstat(file.get(), &info) != 0) return failed("reading", path, errno);
  if (!S_ISREG(info.st_mode)) return Error{"reading " + path + ": it is not a regular file"};
  if (is_private && info.st_uid != ::geteuid()) return Error{"reading " + path + ": it belongs to another user"};
  if (is_private && (info.st_mode & 077) != 0) {
    return Error{"reading " + path + ": it holds tokens, and others may read it; run: chmod 600 " + path};
  }
  std::string content(bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t n = ::read(file.get(), &content[size], content.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("reading", path, errno);
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  if (size > bytes_max) {
    return Error{"reading " + path + ": it is larger than " + std::to_string(bytes_max) + " bytes"};
  }
  content.resize(size);
  return std::optional(std::move(content));
}

std::filesystem::path directory_of(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent;
}

void sync_directory(const std::string& path) {
  const Descriptor directory(::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) ::fsync(directory.get());  // past the rename there is nothing left to undo
}

Result<void> create_private_directory(const std::filesystem::path& directory) {
  std::error_code error;
  if (std::filesystem::is_directory(directory, error)) return {};
  if (directory.has_parent_path() && directory.parent_path() != directory) {
    if (Result<void> above = create_private_directory(directory.parent_path()); !above) return above;
  }
  if (::mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return failed("creating directory", directory.string(), errno);
}

}  // namespace

Result<std::optional<std::string>> read_private_file(const std::string& path, std::size_t bytes_max) {
  return read_bytes(path, bytes_max, true);
}

Result<std::string> read_secret(const std::string& path, std::size_t bytes_max) {
  Result<std::optional<std::string>> content = read_bytes(path, bytes_max, false);
  if (!content) return content.failure();
  if (!*content) return failed("reading", path, ENOENT);
  return std::move(**content);
}

Result<void> replace_private_file(const std::string& path, std::string_view content) {
  // The name is fixed, so that what a killed process left behind is used up by the next.
  const std::string draft = path + ".new";
  ::unlink(draft.c_str());
  const Descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return failed("writing", draft, errno);
  const bool written =
      kit::write_all(file.get(), content) && ::fsync(file.get()) == 0 && ::rename(draft.c_str(), path.c_str()) == 0;
  if (!written) {
    const int error = errno;
    ::unlink(draft.c_str());
    return failed("writing", path, error);
  }
  sync_directory(path);
  return {};
}

Result<std::optional<FileLock>> FileLock::try_take(const std::string& path) {
  if (Result<void> directory = create_private_directory(directory_of(path)); !directory) return directory.failure();
  const std::string name = path + ".lock";
  Descriptor file(::open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return failed("locking", name, errno);
  int outcome = 0;
  do outcome = ::flock(file.get(), LOCK_EX | LOCK_NB);
  while (outcome != 0 && errno == EINTR);
  if (outcome == 0) return std::optional(FileLock(std::move(file)));
  if (errno == EWOULDBLOCK) return std::optional<FileLock>();
  return failed("locking", name, errno);
}

}  // namespace collet::client
