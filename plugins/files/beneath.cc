#include "files/beneath.h"

#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

namespace files {
namespace {

constexpr int kRenameRetries = 32;  // EAGAIN: something was renamed during the walk, so its safety is not proven

}  // namespace

Descriptor open_beneath(int directory, const std::string& relative, int flags, Links links) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  if (links == Links::refused) how.resolve |= RESOLVE_NO_SYMLINKS;
  const char* path = relative.empty() ? "." : relative.c_str();
  for (int attempt = 0;; ++attempt) {
    const long fd = ::syscall(SYS_openat2, directory, path, &how, sizeof how);
    if (fd >= 0) return Descriptor(static_cast<int>(fd));
    if (errno == EINTR || (errno == EAGAIN && attempt < kRenameRetries)) continue;
    break;
  }
  // Old container runtimes answer EPERM for system calls they do not know.
  if (errno == ENOSYS || errno == EPERM) return open_beneath_stepwise(directory, relative, flags);
  return {};
}

Descriptor open_beneath_stepwise(int directory, const std::string& relative, int flags) {
  Descriptor parent;
  std::string_view left = relative;
  while (true) {
    const auto slash = left.find('/');
    const bool last = slash == left.npos;
    const std::string component(left.empty() ? std::string_view(".") : left.substr(0, slash));
    const int step = last ? flags : O_PATH | O_DIRECTORY;
    Descriptor next(::openat(parent ? parent.get() : directory, component.c_str(), step | O_NOFOLLOW | O_CLOEXEC));
    if (last || !next) return next;
    parent = std::move(next);
    left.remove_prefix(slash + 1);
  }
}

}  // namespace files
