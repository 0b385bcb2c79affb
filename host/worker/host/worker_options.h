// How the host runs its workers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/limits.h"
#include "worker/host/restarts.h"
#include "worker/walls/control_group.h"

namespace collet::worker {

struct WorkerOptions {
  std::string executable = "/proc/self/exe";  // run as `executable __worker`: worker_main()
  std::uint64_t start_timeout_ms = limits::kCreateTimeoutMs;
  std::uint64_t hang_ms = limits::kWorkerHangMs;
  std::uint64_t exit_ms = limits::kWorkerExitMs;
  std::uint64_t status_ms = limits::kWorkerStatusMs;
  Restarts::Rules restarts = {};
  int log_level = 2;   // log::Level
  std::shared_ptr<ControlGroups> groups;  // in which the processes are; null: in none
  bool debug = false;  // what the host refuses of the plugin is said in the log
  std::string unenforced;                 // what the host could not be brought to enforce, in words, or empty
};

}  // namespace collet::worker
