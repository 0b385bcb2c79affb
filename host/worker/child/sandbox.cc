#include "worker/child/sandbox.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "base/result.h"
#include "worker/walls/call_filter.h"
#include "worker/walls/file_rules.h"
#include "worker/walls/file_tree.h"
#include "worker/walls/landlock.h"
#include "worker/walls/limits.h"
#include "worker/walls/missing.h"
#include "worker/walls/namespaces.h"
#include "worker/walls/own_processes.h"
#include "worker/walls/rights.h"

namespace collet::worker {
namespace {

// Users that nobody else is: one for each process there can be.
constexpr uid_t kFirstUser = 0x70000000;

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// The way to it is the host's alone: a descriptor leads there, to the file, or to its folder if there is more in that.
std::string open_library(const std::string& library, const std::string& view) {
  const std::size_t slash = library == view ? library.size() : library.rfind('/');
  const int fd = open(library.substr(0, slash).c_str(), O_PATH);
  return fd < 0 ? library : fmt::format("/proc/self/fd/{}{}", fd, library.substr(slash));
}

}  // namespace

Confinement confine(const OpenOrder& order) {
  const Permissions& may = order.permissions;
  const std::string &library = order.library, &view = order.view;
  Confinement done;
  done.library = library;
  Missing missing;
  missing.add(order.unenforced);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  std::optional<uid_t> user;
  if (geteuid() == 0) user = kFirstUser + static_cast<uid_t>(getpid());

  const std::string copies = folder_of(folder_of(view));  // of all processes of the host's user
  const Namespaces spaces = separate(may.network || !may.hosts.empty());
  missing.add(spaces.unenforced);
  FileTree tree;
  if (spaces.made) {
    live_alone();
    tree = enter_file_tree(file_rules(may, view), copies, user);
    missing.add(tree.unenforced);
  }
  const auto has_copies = [&](const std::string& written) { return is_beneath(copies, written); };
  if (!tree.made && std::any_of(may.write.begin(), may.write.end(), has_copies)) {
    missing.add("the host's copies of plugins (they lie in what may be written: set TMPDIR)");
  }

  missing.add(set_limits(may));
  lock_rights();
  // Who may use files of others needs their owner's rights to do so.
  if (user && !tree.owned && !(may.read.empty() && may.write.empty())) {
    missing.add(fmt::format("a user of its own ({})", tree.not_owned.empty() ? "files are granted" : tree.not_owned));
    user.reset();
  }
  if (user) done.library = open_library(library, view);
  missing.add(confine_files(may, view, tree.made));
  if (user && !become(*user)) {
    missing.add(fmt::format("a user of its own ({})", std::strerror(errno)));
    user.reset();
  }
  // The kernel counts them by user, and in a namespace of users by that.
  const bool counted = user || spaces.of_users;
  const bool limited = counted && limit_threads(may, spaces.of_users ? kProcessesBeside : 0);
  if (!limited && !order.threads_are_counted) missing.add("threads_max");
  missing.add(drop_rights());
  prctl(PR_SET_DUMPABLE, 1);  // lost with the old user, as is the death with the parent
  prctl(PR_SET_PDEATHSIG, SIGKILL);

  CallFilter filter = filter_calls(may);
  missing.add(filter.unenforced);
  done.listener = std::move(filter.listener);
  done.unenforced = missing.words();
  return done;
}

}  // namespace collet::worker
