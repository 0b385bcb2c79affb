// What a guard does about a worker's files: it tells what was denied and what would allow it, and changes modes and times on the
// worker's behalf, where the worker may write, with the rights of the grant's owner.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "worker/host/asked_call.h"
#include "worker/host/call_listener.h"
#include "worker/host/guard_order.h"
#include "worker/walls/file_rules.h"

namespace collet::worker {

// One thread's.
class GuardedFiles {
 public:
  // Both are borrowed.
  GuardedFiles(const CallListener& listener, const GuardOrder& order);

  // Each answers the call.

  // One on paths, which the kernel makes if the rules allow it.
  void use(std::uint64_t id, const AskedCall& call);
  // fchmod(); chmod() and fchmodat(), of which the path is looked at.
  void change_mode_of_open(std::uint64_t id, const AskedCall& call);
  void change_mode_of_path(std::uint64_t id, const AskedCall& call, mode_t mode);
  // utimensat()
  void change_times(std::uint64_t id, const AskedCall& call);

 private:
  bool tell(std::uint64_t id, const AskedCall& call) const;
  Descriptor file_of(std::uint64_t id, const AskedCall& call) const;
  void change_mode(std::uint64_t id, const AskedCall& call, const Descriptor& file, mode_t mode) const;
  template <class Change>
  void change(std::uint64_t id, const AskedCall& call, const Descriptor& file, Change&& change) const;
  bool is_owned(const AskedCall& call, const std::string& path, uid_t owner) const;
  bool is_full(const AskedCall& call) const;

  const CallListener& listener_;
  const GuardOrder& order_;
  const std::string section_ = order_.section();
  const std::vector<FileRule> rules_;
  std::map<std::string, uid_t> owners_;  // of what may be written
};

}  // namespace collet::worker
