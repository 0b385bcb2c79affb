#include "worker/host/asked_call.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "base/result.h"

namespace collet::worker {
namespace {

std::string link_target(const std::string& link) {
  char target[PATH_MAX];
  const ssize_t size = readlink(link.c_str(), target, sizeof target);
  return size > 0 ? std::string(target, static_cast<std::size_t>(size)) : std::string();
}

// With links followed; empty if it is not there.
std::string real(const std::string& path) {
  char* resolved = realpath(path.c_str(), nullptr);
  const std::string text = resolved ? resolved : "";
  std::free(resolved);
  return text;
}

}  // namespace

bool AskedCall::read(std::uint64_t at, void* to, std::size_t size) const {
  const iovec here{to, size};
  const iovec there{reinterpret_cast<void*>(at), size};
  return process_vm_readv(thread, &here, 1, &there, 1, 0) == static_cast<ssize_t>(size);
}

// Page by page: what follows the text may not be there.
std::string AskedCall::read_path(std::uint64_t at) const {
  constexpr std::uint64_t kPage = 4096;
  std::string path;
  while (path.size() < PATH_MAX) {
    char piece[kPage];
    const std::size_t size = kPage - at % kPage;
    if (!read(at, piece, size)) return {};
    const auto* end = static_cast<const char*>(std::memchr(piece, 0, size));
    path.append(piece, end ? static_cast<std::size_t>(end - piece) : size);
    if (end) return path;
    at += size;
  }
  return {};
}

std::string AskedCall::as_seen(const std::string& path) const {
  const std::string root = link_target(fmt::format("/proc/{}/root", thread));
  return root.size() > 1 && is_beneath(path, root) ? path.substr(root.size()) : path;
}

PathUse AskedCall::use(const char* name, int folder, std::uint64_t at, bool write, Link last) const {
  PathUse use{.name = name, .write = write};
  std::string path = read_path(at);
  if (path.empty()) return use;
  const std::string process = fmt::format("/proc/{}", thread);
  if (path.front() != '/') {
    const std::string base =
        as_seen(link_target(folder == AT_FDCWD ? process + "/cwd" : fmt::format("{}/fd/{}", process, folder)));
    if (base.empty() || base.front() != '/') return use;
    path = base + '/' + path;
  }
  // How a library that lies in a folder of the host's finds what is beside it.
  constexpr std::string_view kOwn = "/proc/self/fd/";
  if (const std::size_t slash = path.find('/', kOwn.size()); path.starts_with(kOwn) && slash != path.npos) {
    const std::string base = as_seen(link_target(process + path.substr(kOwn.find("/fd/"), slash - kOwn.find("/fd/"))));
    if (!base.empty()) path = base + path.substr(slash);
  }
  if (path.starts_with("/proc/")) return use;  // a process's own view of itself
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::size_t slash = path.find_last_of('/');
  const std::string name_in_folder = path.substr(slash + 1);
  const bool is_name = name_in_folder != "." && name_in_folder != "..";
  if (last == Link::followed || !is_name) use.path = real(path);
  use.exists = !use.path.empty();
  if (!use.exists) {
    const std::string base = real(path.substr(0, std::max<std::size_t>(slash, 1)));
    if (!base.empty()) use.path = (base == "/" ? "" : base) + path.substr(slash);
    struct stat status;
    use.exists = last == Link::itself && lstat(path.c_str(), &status) == 0;
  }
  return use;
}

std::vector<PathUse> AskedCall::path_uses() const {
  const auto* a = arguments;
  const auto folder = [&](int index) { return static_cast<int>(a[index]); };
  const auto opening = [&](int base, std::uint64_t path, std::uint64_t flags) {
    const bool itself = (flags & O_NOFOLLOW) || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
    PathUse opened = use("open", base, path, (flags & (O_WRONLY | O_RDWR | O_TRUNC | O_CREAT)) != 0,
                         itself ? Link::itself : Link::followed);
    // What is not there, and is not made, is not denied; nor is a mere name for it.
    if ((!opened.exists && !(flags & O_CREAT)) || (flags & O_PATH)) opened.path.clear();
    if (opened.exists) opened.write = (flags & (O_WRONLY | O_RDWR | O_TRUNC)) != 0;
    return opened;
  };
  switch (number) {
    case SYS_openat:
      return {opening(folder(0), a[1], a[2])};
    case SYS_openat2: {
      open_how how{};
      if (!read(a[2], &how, std::min<std::size_t>(a[3], sizeof how))) return {};
      if (how.resolve & RESOLVE_IN_ROOT) return {};  // another root than the one that is looked at here
      return {opening(folder(0), a[1], how.flags)};
    }
    case SYS_fchmodat:
      return {use("chmod", folder(0), a[1], true, Link::followed)};
    case SYS_utimensat:
      return {use("utime", folder(0), a[1], true, a[3] & AT_SYMLINK_NOFOLLOW ? Link::itself : Link::followed)};
    case SYS_mkdirat:
      return {use("mkdir", folder(0), a[1], true)};
    case SYS_mknodat:
      return {use("mknod", folder(0), a[1], true)};
    case SYS_unlinkat:
      return {use("unlink", folder(0), a[1], true)};
    case SYS_symlinkat:
      return {use("symlink", folder(1), a[2], true)};
    case SYS_linkat:
      return {use("link", folder(0), a[1], true, a[4] & AT_SYMLINK_FOLLOW ? Link::followed : Link::itself),
              use("link", folder(2), a[3], true)};
    case SYS_renameat:
    case SYS_renameat2:
      return {use("rename", folder(0), a[1], true), use("rename", folder(2), a[3], true)};
    case SYS_truncate:
      return {use("truncate", AT_FDCWD, a[0], true, Link::followed)};
#if defined(__x86_64__)
    case SYS_open:
      return {opening(AT_FDCWD, a[0], a[1])};
    case SYS_chmod:
      return {use("chmod", AT_FDCWD, a[0], true, Link::followed)};
    case SYS_creat:
      return {opening(AT_FDCWD, a[0], O_CREAT | O_WRONLY | O_TRUNC)};
    case SYS_mkdir:
      return {use("mkdir", AT_FDCWD, a[0], true)};
    case SYS_mknod:
      return {use("mknod", AT_FDCWD, a[0], true)};
    case SYS_rmdir:
      return {use("rmdir", AT_FDCWD, a[0], true)};
    case SYS_unlink:
      return {use("unlink", AT_FDCWD, a[0], true)};
    case SYS_symlink:
      return {use("symlink", AT_FDCWD, a[1], true)};
    case SYS_link:
      return {use("link", AT_FDCWD, a[0], true), use("link", AT_FDCWD, a[1], true)};
    case SYS_rename:
      return {use("rename", AT_FDCWD, a[0], true), use("rename", AT_FDCWD, a[1], true)};
#endif
    default:
      return {};
  }
}

Descriptor AskedCall::descriptor(std::uint64_t which) const {
  const Descriptor handle(static_cast<int>(syscall(SYS_pidfd_open, process(), 0)));
  return Descriptor(static_cast<int>(syscall(SYS_pidfd_getfd, handle.get(), which, 0)));
}

pid_t AskedCall::process() const {
  std::ifstream status(fmt::format("/proc/{}/status", thread));
  for (std::string word; status >> word;) {
    pid_t id = 0;
    if (word == "Tgid:" && status >> id) return id;
  }
  return 0;
}

bool allows(const std::vector<FileRule>& rules, const PathUse& use) {
  return std::any_of(rules.begin(), rules.end(), [&](const FileRule& rule) {
    return (rule.write || !use.write) && is_beneath(use.path, rule.path);
  });
}

}  // namespace collet::worker
