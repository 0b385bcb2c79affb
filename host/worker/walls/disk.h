// What a worker writes in all. The kernel bounds each file (RLIMIT_FSIZE) and not how many there are, and a file system's
// quotas are the operator's: so the host looks, again and again, how much of the disk the worker's write grants take.
// Between two looks there can come as much more as the disk takes in that time. The host puts this wall up, from outside.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace collet::worker {

struct DiskOrder {
  std::vector<std::string> granted;  // files and folders that the worker may write; absolute
  std::uint64_t bytes_max = 0;       // how much more than at the beginning they may take
  // The worker's processes, whose open files count as well where they have no name any more. Any thread.
  std::function<std::vector<pid_t>()> processes;
  // They take too much, or cannot be counted, for this reason. On a thread of the watch, at each look, with nothing locked.
  std::function<void(const std::string& reason)> exceeded;
};

class DiskWatch {
 public:
  // Counts what is there, before the worker runs: a second for some 500,000 files.
  explicit DiskWatch(DiskOrder order);
  ~DiskWatch();  // cuts a count short; afterwards `exceeded` is not called any more

 private:
  void watch();
  std::uint64_t free_bytes() const;
  // What they take, as quotas count it: in blocks, and for each name as much as an empty file takes, so that the number of
  // names is bounded, too. Counts no further than `enough`. Fails if something of the worker's cannot be counted.
  Result<std::uint64_t> measure(std::uint64_t enough) const;
  Result<std::uint64_t> count_more();

  const DiskOrder order_;
  std::atomic<bool> ending_ = false;  // set under the lock
  Result<std::uint64_t> at_first_;    // the thread's, once it runs
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace collet::worker
