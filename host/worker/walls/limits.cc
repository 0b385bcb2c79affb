#include "worker/walls/limits.h"

#include <sys/resource.h>

#include <csignal>

#include "worker/walls/missing.h"

namespace collet::worker {
namespace {

bool limit(int resource, std::uint64_t most) {
  const rlimit both{most, most};
  return setrlimit(static_cast<__rlimit_resource_t>(resource), &both) == 0;
}

}  // namespace

std::string set_limits(const Permissions& may) {
  Missing missing;
  limit(RLIMIT_CORE, 0);
  if (!limit(RLIMIT_NOFILE, may.files_max)) missing.add("files_max");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which reserve more than there is
  if (may.memory_bytes_max && !limit(RLIMIT_AS, may.memory_bytes_max)) missing.add("memory_bytes_max");
#endif
  std::signal(SIGXFSZ, SIG_IGN);  // a file that is too large is an error of who writes it
  if (may.file_bytes_max && !limit(RLIMIT_FSIZE, may.file_bytes_max)) missing.add("file_bytes_max");
  // SIGXCPU, and a second later SIGKILL.
  const rlimit cpu{may.cpu_seconds_max, may.cpu_seconds_max + 1};
  if (may.cpu_seconds_max && setrlimit(RLIMIT_CPU, &cpu) != 0) missing.add("cpu_seconds_max");
  return missing.words();
}

bool limit_threads(const Permissions& may, unsigned others) { return limit(RLIMIT_NPROC, may.threads_max + others); }

}  // namespace collet::worker
