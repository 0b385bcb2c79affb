#include "worker/walls/file_tree.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <map>
#include <tuple>
#include <utility>

#include "base/descriptor.h"
#include "base/result.h"

namespace collet::worker {
namespace {


constexpr const char* kProc = "/proc";
constexpr const char* kDev = "/dev";
// Of which shells and others take it that they are there.
constexpr std::pair<const char*, const char*> kLinks[] = {{"/dev/fd", "/proc/self/fd"},
                                                          {"/dev/stdin", "/proc/self/fd/0"},
                                                          {"/dev/stdout", "/proc/self/fd/1"},
                                                          {"/dev/stderr", "/proc/self/fd/2"}};
constexpr int kLinksMax = 40;  // on one path, as the kernel has it

Error failed(const char* what, const std::string& path) {
  return error("{} {}: {}", what, path, std::strerror(errno));
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// All ids as they are, but `from`, which is seen as `to`, and `to`, which nobody is.
std::string map_of(id_t from, id_t to) {
  constexpr id_t kEnd = ~id_t{0};
  std::string map = fmt::format("{} {} 1\n", from, to);
  id_t at = 0;
  for (const id_t hole : {std::min(from, to), std::max(from, to), kEnd}) {
    if (hole > at) map += fmt::format("{0} {0} {1}\n", at, hole - at);
    at = hole + 1;
  }
  return map;
}

Result<void> write_file(const std::string& path, const std::string& text) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return failed("cannot write", path);
  return {};
}

// A namespace of users, which is how the kernel is told of who is seen as whom. It needs a process to be made by.
Result<Descriptor> users_seen_as(const struct stat& owner, uid_t user) {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return failed("cannot make", "a pipe");
  const Descriptor told(ready[0]);
  Descriptor tells(ready[1]);
  // Not by unshare(), which wants a process without threads: a sanitizer has one.
  const auto maker = static_cast<pid_t>(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  if (maker < 0) return failed("cannot make", "a namespace of users");
  if (maker == 0) {
    char number[16];  // its own, for who looks at the /proc that there still is
    const ssize_t size = readlink("/proc/self", number, sizeof number);
    static_cast<void>(!write(tells.get(), number, static_cast<std::size_t>(std::max<ssize_t>(size, 0))));
    tells = Descriptor();
    for (;;) pause();
  }
  tells = Descriptor();
  const auto of_maker = [&]() -> Result<Descriptor> {
    char number[16];
    const ssize_t size = read(told.get(), number, sizeof number);
    if (size <= 0) return failed("cannot read", "/proc/self");
    const std::string process = fmt::format("/proc/{}/", std::string_view(number, static_cast<std::size_t>(size)));
    if (auto done = write_file(process + "uid_map", map_of(owner.st_uid, user)); !done) return done.failure();
    if (auto done = write_file(process + "gid_map", map_of(owner.st_gid, user)); !done) return done.failure();
    return Descriptor(open((process + "ns/user").c_str(), O_RDONLY | O_CLOEXEC));
  };
  auto made = of_maker();
  kill(maker, SIGKILL);
  waitpid(maker, nullptr, 0);
  return made;
}

class Tree {
 public:
  // Of the file system that is seen now.
  Result<void> gather(std::vector<FileRule> rules, const std::string& hidden, std::optional<uid_t> user) {
    for (FileRule& rule : rules) rule.path = follow(rule.path);
    std::sort(rules.begin(), rules.end(), [](const FileRule& a, const FileRule& b) {
      return std::tie(a.path, b.write, b.granted) < std::tie(b.path, a.write, a.granted);
    });
    std::optional<std::string> to_hide = follow(hidden);
    for (const FileRule& rule : rules) {
      if (rule.path.empty() || is_beneath(rule.path, kProc)) continue;
      if (to_hide && rule.path > *to_hide) {  // after what it lies in, before what lies in it
        if (auto done = hide(*std::exchange(to_hide, std::nullopt)); !done) return done;
      }
      if (auto taken = take(rule, user); !taken) return taken;
    }
    return to_hide ? hide(*to_hide) : Result<void>();
  }

  const std::string& missing() const { return missing_; }

  // And no way back.
  Result<void> enter() {
    const std::string folder = current_folder();
    const bool all = !parts_.empty() && parts_.front().path == "/";
    auto root = all ? Result<Descriptor>(std::move(parts_.front().mount))
                    : make_mount("tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (!root) return root.failure();
    if (all) parts_.erase(parts_.begin());
    auto proc = take_proc();
    if (!proc) return proc;
    // It has to lie somewhere for the time being: at a place that is always there and not needed meanwhile.
    if (move_mount(root->get(), "", AT_FDCWD, kProc, MOVE_MOUNT_F_EMPTY_PATH) != 0) return failed("cannot mount", kProc);
    auto entered = fill(root->get(), all);
    if (entered && !all) entered = protect(root->get());
    if (entered) entered = make_root(root->get());
    if (!entered) {
      umount2(kProc, MNT_DETACH);
      return entered;
    }
    if (chdir(folder.c_str()) != 0) static_cast<void>(!chdir("/"));
    return {};
  }

 private:
  struct Part {
    std::string path;  // without links
    Descriptor mount;
    uid_t owner;
    bool write;
    bool is_folder;
    bool hides = false;
  };

  static std::string current_folder() {
    char path[PATH_MAX];
    return getcwd(path, sizeof path) ? path : "/";
  }

  // Where a path leads; empty if it leads nowhere. The links on its way are remembered.
  std::string follow(const std::string& path) {
    std::string real;
    std::string rest = path;
    int links = 0;
    while (!rest.empty()) {
      const std::size_t begin = std::min(rest.find_first_not_of('/'), rest.size());
      const std::size_t end = std::min(rest.find('/', begin), rest.size());
      const std::string name = rest.substr(begin, end - begin);
      rest.erase(0, end);
      if (name.empty() || name == ".") continue;
      if (name == "..") {
        real = parent_of(real);
        continue;
      }
      const std::string next = real + '/' + name;
      char target[PATH_MAX];
      const ssize_t size = is_beneath(next, kProc) ? -1 : readlink(next.c_str(), target, sizeof target);
      if (size < 0) {
        real = next;
        continue;
      }
      if (++links > kLinksMax) return {};
      const std::string to(target, static_cast<std::size_t>(size));
      links_.emplace(next, to);
      rest = to + rest;
      if (to.front() == '/') real.clear();
    }
    if (real.empty()) real.push_back('/');
    struct stat status;
    return lstat(real.c_str(), &status) == 0 ? real : std::string();
  }

  Result<void> take(const FileRule& rule, std::optional<uid_t> user) {
    Descriptor mount = clone(rule.path);
    struct stat owner;
    if (!mount || fstat(mount.get(), &owner) != 0) return failed("cannot show", rule.path);
    const Part* around = part_around(rule.path);
    if (around && shows(*around, rule, user ? std::optional(owner.st_uid) : std::nullopt)) return {};
    const bool write = rule.write || (around && around->write);  // what holds of a folder holds of all in it
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_NOSUID | (write ? 0 : MOUNT_ATTR_RDONLY);
    if (!is_beneath(rule.path, kDev)) attributes.attr_set |= MOUNT_ATTR_NODEV;
    Descriptor users;
    if (user && rule.granted) {
      auto seen = users_seen_as(owner, *user);
      if (!seen) return seen.failure();
      users = std::move(*seen);
    }
    // Not every file system can have owners seen as others.
    const bool shown = (users && set(mount, attributes, users)) ||
                       ((!users || needs_no_owner(mount, owner, write)) && set(mount, attributes, Descriptor()));
    if (!shown) return failed("cannot show", rule.path);
    parts_.push_back({rule.path, std::move(mount), owner.st_uid, write, S_ISDIR(owner.st_mode)});
    return {};
  }

  // The innermost one.
  const Part* part_around(const std::string& path) const {
    const Part* around = nullptr;
    for (const Part& part : parts_) {
      if (is_beneath(path, part.path) && (!around || part.path.size() > around->path.size())) around = &part;
    }
    return around;
  }

  // Whether the part has what the rule names as the rule wants it: no mount more than that takes, since nothing can be
  // renamed from one to another. `owner` is whose it is, if it is to be seen as somebody else's.
  static bool shows(const Part& part, const FileRule& rule, std::optional<uid_t> owner) {
    if (part.path == rule.path) return true;
    const bool device = is_beneath(rule.path, kDev) && !is_beneath(part.path, kDev);
    return !part.hides && !device && part.write >= rule.write && (!rule.granted || !owner || *owner == part.owner);
  }

  // If it can be seen at all.
  Result<void> hide(const std::string& folder) {
    if (!part_around(folder)) return {};
    auto nothing = make_mount("tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (!nothing) return nothing.failure();
    parts_.push_back({.path = folder, .mount = std::move(*nothing), .owner = 0, .write = false, .is_folder = true, .hides = true});
    return {};
  }

  static Descriptor clone(const std::string& path) {
    constexpr unsigned kFlags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW;
    return Descriptor(static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, path.c_str(), kFlags)));
  }

  static bool set(const Descriptor& mount, mount_attr attributes, const Descriptor& users) {
    if (users) {
      attributes.attr_set |= MOUNT_ATTR_IDMAP;
      attributes.userns_fd = static_cast<std::uint64_t>(users.get());
    }
    return mount_setattr(mount.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) == 0;
  }

  // A file that everybody may use, or what the kernel tells of itself.
  static bool needs_no_owner(const Descriptor& mount, const struct stat& file, bool write) {
    struct statfs system;
    if (!write && fstatfs(mount.get(), &system) == 0 && system.f_type == SYSFS_MAGIC) return true;
    const mode_t needed = S_IROTH | (write ? S_IWOTH : 0);
    return !S_ISDIR(file.st_mode) && (file.st_mode & needed) == needed;
  }

  static Result<Descriptor> make_mount(const char* type, unsigned attributes) {
    const Descriptor made(fsopen(type, FSOPEN_CLOEXEC));
    fsconfig(made.get(), FSCONFIG_SET_STRING, "mode", "0755", 0);  // of a tmpfs
    if (fsconfig(made.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return failed("cannot make a", type);
    Descriptor mount(fsmount(made.get(), FSMOUNT_CLOEXEC, attributes));
    if (!mount) return failed("cannot make a", type);
    return mount;
  }

  // Nothing is made in a part, which is the host's own: there is what there is.
  Result<void> fill(int root, bool all) {
    const mode_t mask = umask(022);
    Result<void> filled;
    for (const Part& part : parts_) {
      if (filled) filled = put(root, part.path, part.mount.get(), part.is_folder);
    }
    for (const auto& [path, target] : links_) {
      if (all || part_around(path)) continue;
      make_folders(root, parent_of(path));
      if (symlinkat(target.c_str(), root, path.c_str() + 1) != 0 && filled) filled = failed("cannot show", path);
    }
    umask(mask);
    for (const Part& part : parts_) {
      if (part.hides && filled) filled = protect(part.mount.get());
    }
    return filled ? put(root, kProc, proc_.get(), true) : std::move(filled);
  }

  // One of its own; or, in a container that hides parts of its /proc, where the kernel makes no other that would show
  // them, the one that there is.
  Result<void> take_proc() {
    auto own = make_mount("proc", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    if (!own) missing_ = fmt::format("a /proc of its own ({})", own.message());
    proc_ = own ? std::move(*own) : clone(kProc);
    return proc_ ? Result<void>() : failed("cannot show", kProc);
  }

  static void make_folders(int root, const std::string& path) {
    for (std::size_t slash = path.find('/', 1); slash != path.npos; slash = path.find('/', slash + 1)) {
      mkdirat(root, path.substr(1, slash - 1).c_str(), 0755);
    }
    if (path.size() > 1) mkdirat(root, path.c_str() + 1, 0755);
  }

  // Where there is something already it lies in a part that has been put there.
  static Result<void> put(int root, const std::string& path, int mount, bool is_folder) {
    const char* place = path.c_str() + 1;
    make_folders(root, is_folder ? path : parent_of(path));
    if (!is_folder) Descriptor(openat(root, place, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
    if (move_mount(mount, "", root, place, MOVE_MOUNT_F_EMPTY_PATH) != 0) return failed("cannot show", path);
    return {};
  }

  static Result<void> protect(int root) {
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (mount_setattr(root, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
      return failed("cannot protect", "the new root");
    }
    return {};
  }

  // The old one is let go. Where the process has been put below the root of a mount by chroot(), it is only out of
  // reach: by chroot() again, which takes a right that is dropped.
  static Result<void> make_root(int root) {
    if (fchdir(root) != 0) return failed("cannot enter", "the new root");
    if (syscall(SYS_pivot_root, ".", ".") == 0) {
      umount2(".", MNT_DETACH);
    } else if (chroot(".") != 0) {
      return failed("cannot enter", "the new root");
    }
    return {};
  }

  std::vector<Part> parts_;  // folders before what is in them
  std::map<std::string, std::string> links_{std::begin(kLinks), std::end(kLinks)};
  Descriptor proc_;
  std::string missing_;
};

// What is missing of it, or why there is none.
Result<std::string> enter(const std::vector<FileRule>& rules, const std::string& hidden, std::optional<uid_t> user) {
  Tree tree;
  auto done = tree.gather(rules, hidden, user);
  if (done) done = tree.enter();
  if (!done) return done.failure();
  return tree.missing();
}

}  // namespace

FileTree enter_file_tree(const std::vector<FileRule>& rules, const std::string& hidden, std::optional<uid_t> user) {
  FileTree tree;
  // Below chroot() the root may be none of a mount: then what matters is where the new one is put for a moment.
  const auto make_private = [](const char* at) { return mount("none", at, nullptr, MS_REC | MS_PRIVATE, nullptr) == 0; };
  if (!make_private("/") && !make_private(kProc)) {
    tree.unenforced = fmt::format("a file system of its own ({})", std::strerror(errno));
    return tree;
  }
  if (user) {
    const auto entered = enter(rules, hidden, user);
    tree.made = tree.owned = entered.ok();
    if (tree.made) tree.unenforced = *entered;
    if (tree.made) return tree;
    tree.not_owned = entered.message();
  }
  const auto entered = enter(rules, hidden, std::nullopt);
  tree.made = entered.ok();
  tree.unenforced = entered ? *entered : fmt::format("a file system of its own ({})", entered.message());
  return tree;
}

}  // namespace collet::worker
