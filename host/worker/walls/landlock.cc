#include "worker/walls/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/descriptor.h"
#include "base/result.h"
#include "worker/walls/file_rules.h"

namespace collet::worker {
namespace {

// Of linux/landlock.h, which distributions have in older versions than their kernels.
struct RulesetAttributes {
  std::uint64_t files;
  std::uint64_t network;  // since version 4
  std::uint64_t scopes;   // since version 6
};
struct __attribute__((packed)) PathBeneath {
  std::uint64_t allowed;
  std::int32_t parent;
};
constexpr unsigned kVersionFlag = 1;
constexpr int kPathBeneath = 1;

constexpr std::uint64_t kExecute = 1;
constexpr std::uint64_t kWriteFile = 1 << 1;
constexpr std::uint64_t kReadFile = 1 << 2;
constexpr std::uint64_t kReadFolder = 1 << 3;
constexpr std::uint64_t kVersion1 = (1 << 13) - 1;
constexpr std::uint64_t kOddFiles = 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11;  // to make devices, sockets and pipes
constexpr std::uint64_t kRefer = 1 << 13;     // since version 2
constexpr std::uint64_t kTruncate = 1 << 14;  // since version 3
constexpr std::uint64_t kDevices = 1 << 15;   // since version 5
constexpr std::uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | kTruncate | kDevices;
constexpr std::uint64_t kBindAndConnect = 3;
constexpr std::uint64_t kSocketsAndSignals = 3;

class Ruleset {
 public:
  Ruleset(int version, bool network_too)
      : files_(kVersion1 | (version >= 2 ? kRefer : 0) | (version >= 3 ? kTruncate : 0) |
               (version >= 5 ? kDevices : 0)) {
    const RulesetAttributes attributes{files_, version >= 4 && network_too ? kBindAndConnect : 0,
                                       version >= 6 ? kSocketsAndSignals : 0};
    const std::size_t size = version >= 6   ? sizeof attributes
                             : version >= 4 ? offsetof(RulesetAttributes, scopes)
                                            : offsetof(RulesetAttributes, network);
    ruleset_ = Descriptor(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
  }
  explicit operator bool() const { return static_cast<bool>(ruleset_); }

  // What is not there needs no permission.
  void allow(const char* path, std::uint64_t rights) {
    const Descriptor parent(open(path, O_PATH | O_CLOEXEC));
    struct stat status;
    if (!parent || fstat(parent.get(), &status) != 0) return;
    const std::uint64_t possible = S_ISDIR(status.st_mode) ? files_ : files_ & kOfFiles;
    const PathBeneath rule{rights & possible, parent.get()};
    syscall(SYS_landlock_add_rule, ruleset_.get(), kPathBeneath, &rule, 0);
  }
  bool restrict_self() { return syscall(SYS_landlock_restrict_self, ruleset_.get(), 0) == 0; }

 private:
  const std::uint64_t files_;
  Descriptor ruleset_;
};

}  // namespace

std::string confine_files(const Permissions& may, const std::string& view, bool read_only) {
  const auto version = static_cast<int>(syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersionFlag));
  if (version < 1) return "files (the kernel has no Landlock)";
  Ruleset rules(version, !may.network);
  if (!rules) return fmt::format("files (Landlock: {})", std::strerror(errno));
  for (const FileRule& rule : file_rules(may, view)) {
    const std::uint64_t rights = rule.write ? ~(kExecute | kOddFiles) : kReadFile | kReadFolder;
    rules.allow(rule.path.c_str(), rights | (rule.run ? kExecute : 0));
  }
  if (!rules.restrict_self()) return fmt::format("files (Landlock: {})", std::strerror(errno));
  return version >= 3 || read_only ? std::string() : "truncation of files (the kernel's Landlock is too old)";
}

}  // namespace collet::worker
