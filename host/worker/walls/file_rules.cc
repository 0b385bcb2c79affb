#include "worker/walls/file_rules.h"

namespace collet::worker {
namespace {

// What any program needs: shared libraries, and what the C library looks up behind a program's back.
constexpr const char* kReadable[] = {"/lib",
                                     "/lib64",
                                     "/usr/lib",
                                     "/usr/lib64",
                                     "/usr/local/lib",
                                     "/nix/store",
                                     "/gnu/store",
                                     "/etc/ld.so.cache",
                                     "/etc/alternatives",
                                     "/etc/localtime",
                                     "/usr/share/zoneinfo",
                                     "/dev/urandom",
                                     "/dev/random",
                                     "/dev/zero",
                                     "/proc/self",
                                     "/sys/devices/system/cpu",
                                     "/usr/share/locale",
                                     "/usr/share/i18n"};
constexpr const char* kReadableWithNetwork[] = {
    "/etc/resolv.conf", "/etc/hosts",    "/etc/nsswitch.conf", "/etc/host.conf",
    "/etc/gai.conf",    "/etc/services", "/etc/ssl",           "/usr/share/ca-certificates"};
constexpr const char* kExecutable[] = {"/bin", "/sbin", "/usr", "/lib", "/lib64"};

}  // namespace

bool is_beneath(const std::string& path, const std::string& folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || folder == "/" || path[folder.size()] == '/');
}

std::vector<FileRule> file_rules(const Permissions& may, const std::string& view) {
  std::vector<FileRule> rules{{view}, {"/dev/null", true}};
  for (const char* path : kReadable) rules.push_back({path});
  if (may.network || !may.hosts.empty()) {
    for (const char* path : kReadableWithNetwork) rules.push_back({path});
  }
  if (may.exec) {
    for (const char* path : kExecutable) rules.push_back({path, false, true});
  }
  for (const std::string& path : may.read) rules.push_back({path, false, may.exec, true});
  for (const std::string& path : may.write) rules.push_back({path, true, may.exec, true});
  return rules;
}

}  // namespace collet::worker
