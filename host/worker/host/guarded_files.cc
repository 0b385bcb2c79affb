#include "worker/host/guarded_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/text.h"

namespace collet::worker {
namespace {

using text::in_quotes;

std::vector<FileRule> resolved(std::vector<FileRule> rules) {
  std::erase_if(rules, [](FileRule& rule) {
    std::error_code none;
    rule.path = std::filesystem::canonical(rule.path, none);
    return rule.path.empty();
  });
  return rules;
}

}  // namespace

GuardedFiles::GuardedFiles(const CallListener& listener, const GuardOrder& order)
    : listener_(listener), order_(order), rules_(resolved(file_rules(order.permissions, order.view))) {
  for (const FileRule& rule : rules_) {
    struct stat status;
    if (rule.granted && rule.write && stat(rule.path.c_str(), &status) == 0) owners_.emplace(rule.path, status.st_uid);
  }
}

void GuardedFiles::use(std::uint64_t id, const AskedCall& call) {
  // What is not granted is not there for the worker; that it is denied is what its author has to know.
  if (!tell(id, call)) return listener_.answer(id, EACCES);
  listener_.let_go_on(id);
}

// Whether the rules allow it.
bool GuardedFiles::tell(std::uint64_t id, const AskedCall& call) const {
  bool allowed = true;
  for (const PathUse& use : call.path_uses()) {
    if (use.path.empty() || !listener_.still_asked(id)) continue;  // what was read may be another's
    const std::string what = fmt::format("{}({})", use.name, in_quotes(use.path));
    if (!allows(rules_, use)) {
      allowed = false;
      const bool itself = use.exists && std::strcmp(use.name, "open") == 0;
      const std::size_t slash = use.path.find_last_of('/');
      const auto wanted = itself ? use.path : use.path.substr(0, std::max<std::size_t>(slash, 1));
      order_.tell(fmt::format("{} for {} was denied: add {} to {}.{}", what, use.write ? "writing" : "reading",
                              in_quotes(wanted), section_, use.write ? "write" : "read"));
    } else if (is_full(call)) {
      order_.tell(fmt::format("{} was denied: it has as many files open as {}.files_max = {} allows", what, section_,
                              order_.permissions.files_max));
    }
  }
  return allowed;
}

// What its path leads to.
Descriptor GuardedFiles::file_of(std::uint64_t id, const AskedCall& call) const {
  tell(id, call);
  return Descriptor(open(call.path_uses().front().path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

void GuardedFiles::change_mode_of_open(std::uint64_t id, const AskedCall& call) {
  change_mode(id, call, call.descriptor(call.arguments[0]), static_cast<mode_t>(call.arguments[1]));
}

void GuardedFiles::change_mode_of_path(std::uint64_t id, const AskedCall& call, mode_t mode) {
  change_mode(id, call, file_of(id, call), mode);
}

// Without the bits by which a program gets its owner's rights.
void GuardedFiles::change_mode(std::uint64_t id, const AskedCall& call, const Descriptor& file, mode_t mode) const {
  change(id, call, file, [&](const char* way) { return chmod(way, mode & 0777); });
}

void GuardedFiles::change_times(std::uint64_t id, const AskedCall& call) {
  const Descriptor file = call.arguments[1] ? file_of(id, call) : call.descriptor(call.arguments[0]);
  timespec times[2];
  const bool now = call.arguments[2] == 0;
  if (!now && !call.read(call.arguments[2], times, sizeof times)) return listener_.answer(id, EFAULT);
  change(id, call, file, [&](const char* way) { return utimensat(AT_FDCWD, way, now ? nullptr : times, 0); });
}

// Changes the file that the guard holds itself, so that nothing can be put in its place meanwhile, by a path that
// leads to it: if it may be written, is its owner's who owns what is granted, since that is whose rights the worker has,
// and the host may have more, and is no device, such as /dev/null, which is everybody's.
template <class Change>
void GuardedFiles::change(std::uint64_t id, const AskedCall& call, const Descriptor& file, Change&& change) const {
  if (!listener_.still_asked(id)) return;
  if (!file) return listener_.answer(id, ENOENT);
  struct stat status;
  const bool is_plain = fstat(file.get(), &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
  const std::string way = fmt::format("/proc/self/fd/{}", file.get());
  std::error_code none;
  const std::string path = call.as_seen(std::filesystem::read_symlink(way, none).string());
  const bool allowed = is_plain && allows(rules_, {.name = "change", .path = path, .write = true});
  if (!allowed || !is_owned(call, path, status.st_uid)) return listener_.answer(id, EPERM);
  listener_.answer(id, change(way.c_str()) == 0 ? 0 : errno);
}

// A descriptor of the worker's shows its own user as the owner, a path of the host's the real one.
bool GuardedFiles::is_owned(const AskedCall& call, const std::string& path, uid_t owner) const {
  struct stat worker;
  if (stat(fmt::format("/proc/{}", call.thread).c_str(), &worker) == 0 && worker.st_uid == owner) return true;
  const std::pair<const std::string, uid_t>* innermost = nullptr;
  for (const auto& grant : owners_) {
    if (is_beneath(path, grant.first) && (!innermost || grant.first.size() > innermost->first.size())) innermost = &grant;
  }
  return innermost && innermost->second == owner;
}

// Whether the process can open no more files. Kernels before 6.2 do not say.
bool GuardedFiles::is_full(const AskedCall& call) const {
  struct stat open_files;
  return stat(fmt::format("/proc/{}/fd", call.thread).c_str(), &open_files) == 0 &&
         static_cast<std::uint64_t>(open_files.st_size) >= order_.permissions.files_max;
}

}  // namespace collet::worker
