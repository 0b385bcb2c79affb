// What a worker writes to its stdout and stderr, on its way to the host's log: each line under the plugin's name, and
// no more of them than anyone reads. The worker has one end of a pipe, and nothing of the log itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/descriptor.h"

namespace collet::worker {

// One thread at a time.
class WorkerLog {
 public:
  // `pipe` is the end to read.
  WorkerLog(std::string plugin, Descriptor pipe);
  WorkerLog(const WorkerLog&) = delete;
  WorkerLog& operator=(const WorkerLog&) = delete;
  ~WorkerLog();  // logs what is still there

  // Readable when there is something; -1 once the worker has closed its end.
  int descriptor() const { return pipe_.get(); }
  // Logs what is there.
  void read();

 private:
  void take(std::string_view bytes);
  void take_line();
  bool within_limits();
  void tell_left_out();

  const std::string name_;  // "plugin NAME: "
  Descriptor pipe_;
  std::string line_;  // that has begun
  std::uint64_t since_ms_ = 0;  // what was logged from then on counts
  std::uint64_t lines_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t lines_left_out_ = 0;
};

}  // namespace collet::worker
