// Where a plugin runs, and what it may do there, as an operator says: [plugin.<id>].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/limits.h"

namespace collet {

enum class Placement : std::uint8_t { automatic, in_process, worker };

// What a plugin in a worker process may do beyond computing: [plugin.<id>.permissions]. What is not granted is denied.
struct Permissions {
  bool require_sandbox = false;          // of [plugin.<id>]: where not all of it can be denied it does not run
  std::vector<std::string> read;         // files, and folders with all that is in them; absolute
  std::vector<std::string> write;        // likewise; they may be read as well
  bool network = false;                  // all sockets of IP
  std::vector<std::string> hosts;        // else TCP connections to these: "api.example.com:443"
  std::vector<std::string> unix_sockets; // sockets of this machine that it connects to, by their files; absolute
  bool exec = false;                     // other programs
  std::vector<std::string> items;        // of other plugins, that it may see and call: rules as those of views
  std::vector<std::string> events;       // of other plugins, that it may read: "plugin/stream", in which * stands for any text
  std::vector<std::string> environment;  // names of variables that it sees
  // 0: no limit.
  std::uint64_t memory_bytes_max = limits::kWorkerMemoryBytesMax;  // address space
  std::uint64_t threads_max = limits::kWorkerThreadsMax;           // and processes, where exec is granted
  std::uint64_t files_max = limits::kWorkerFilesMax;               // open descriptors
  std::uint64_t file_bytes_max = limits::kWorkerFileBytesMax;      // of each file that it writes
  std::uint64_t disk_bytes_max = limits::kWorkerDiskBytesMax;      // that what it may write takes more than at its start
  std::uint64_t cpu_seconds_max = 0;                               // of one worker process, all its life

  bool operator==(const Permissions&) const = default;
};

}  // namespace collet
